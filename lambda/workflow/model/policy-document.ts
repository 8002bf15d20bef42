/** A key policy, an IAM policy document, as JSON gives it. */

export type Fields = Record<string, unknown>;

export function readDocument(document: string): Fields {
  const policy: unknown = JSON.parse(document);
  return isFields(policy) ? policy : {};
}

/**
 * The document as CreateKey takes it: without the white space of GetKeyPolicy, which counts as well. KMS accepts no
 * character above U+00FF, except as an escape.
 */
export function writeDocument(policy: unknown): string {
  return JSON.stringify(policy).replace(
    /[\u0100-\uffff]/g,
    (character) => `\\u${(0x10000 + character.charCodeAt(0)).toString(16).slice(1)}`,
  );
}

/** Whether reading and writing keeps it: JSON.parse keeps one of two members with one name, and rounds numbers. */
export function isKept(document: string): boolean {
  const compact = document.replace(
    /"(?:[^"\\]|\\.)*"|\s+/g,
    (token) => token.trim() && JSON.stringify(JSON.parse(token)),
  );
  return compact === JSON.stringify(JSON.parse(document));
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function statementsOf(policy: Fields): unknown[] {
  const { Statement: statement } = policy;
  if (statement === undefined) return [];
  return Array.isArray(statement) ? statement : [statement];
}

/** IAM writes a list of one without the list; a list with non-text values counts as empty. */
export function listed(value: unknown): string[] {
  const members: unknown[] = Array.isArray(value) ? value : [value];
  return members.every((member) => typeof member === "string") ? members : [];
}

export type Condition = [operator: string, key: string, values: string[]];

/** The conditions of a statement. */
export function conditionsOf({ Condition: operators }: Fields): Condition[] {
  if (!isFields(operators)) return [];
  return Object.entries(operators).flatMap(([operator, block]) =>
    isFields(block)
      ? Object.entries(block).map(([key, values]): Condition => [operator, key, listed(values)])
      : [],
  );
}

/** The condition keys of a statement, with any operator. */
export function conditionKeysOf(statement: Fields): string[] {
  return conditionsOf(statement).map(([, key]) => key);
}

/** Who is allowed something by each statement, and its condition. NotPrincipal allows all others. */
export function allowed(document: string): { principals: string[]; condition: unknown }[] {
  return statementsOf(readDocument(document)).flatMap((statement) => {
    if (!isFields(statement) || statement["Effect"] !== "Allow") return [];
    const { Principal: principal, NotPrincipal: not, Condition: condition } = statement;
    if (not !== undefined) return [{ principals: ["*"], condition }];
    return [{ principals: awsPrincipals(principal), condition }];
  });
}

/** The accounts, users, roles and sessions of a Principal or NotPrincipal, and `*`. */
export function awsPrincipals(principal: unknown): string[] {
  return listed(isFields(principal) ? principal["AWS"] : principal);
}

/** The values that a condition compares with this key (in lower case) by StringEquals. */
export function mustEqual(condition: unknown, key: string): string[] {
  const block = isFields(condition) ? condition["StringEquals"] : undefined;
  if (!isFields(block)) return [];
  return Object.entries(block).flatMap(([name, value]) =>
    name.toLowerCase() === key ? listed(value) : [],
  );
}
