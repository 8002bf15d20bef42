/**
 * Reads a key policy. Source: "Grammar of the IAM JSON policy language" in the IAM User Guide; "Key
 * policies" and "Key policy overview" in the AWS KMS Developer Guide; API reference of PutKeyPolicy.
 */
import { AwsError } from "../http/aws-error.ts";
import { isConditionOperator, type Conditions } from "./policy-conditions.ts";

export type Principals = "*" | { aws: string[]; service: string[]; federated: string[] };

/** The common elements of key policy and identity policy statements. */
export type Elements = {
  /** Undefined if the element is missing: KMS accepts the statement, but it has no effect. */
  actions: { negated: boolean; patterns: string[] } | undefined;
  resources: { negated: boolean; patterns: string[] } | undefined;
  conditions: Conditions;
};

export type Statement = Elements & {
  effect: "Allow" | "Deny";
  principals: { negated: boolean; of: Principals };
};

export type PolicyDocument = { statements: Statement[] };

const maxBytes = 32_768;

const statementElements = [
  ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"],
  ["Resource", "NotResource", "Condition"],
].flat();

export function readPolicy(text: string): PolicyDocument {
  if (Buffer.byteLength(text) > maxBytes) {
    const message = `The key policy exceeds the quota of ${maxBytes} bytes`;
    throw new AwsError("LimitExceededException", message);
  }
  const document = parse(text);
  const unknown = Object.keys(document).find(
    (name) => !["Version", "Id", "Statement"].includes(name),
  );
  if (unknown !== undefined)
    throw malformed(`Syntax errors in policy: unknown element ${unknown}.`);
  const { Version: version, Id: id } = document;
  if (version !== undefined && version !== "2012-10-17" && version !== "2008-10-17") {
    throw malformed("The policy must contain a valid version string");
  }
  if (id !== undefined && typeof id !== "string") throw malformed("Syntax errors in policy.");
  const { Statement: statement } = document;
  const statements = (Array.isArray(statement) ? statement : [statement]) as unknown[];
  if (statements.length === 0) throw malformed("Syntax errors in policy: no statement.");
  const sids = statements.map((each) => (isObject(each) ? each["Sid"] : undefined));
  const named = sids.filter((sid) => sid !== undefined && sid !== "");
  if (new Set(named).size !== named.length) {
    throw malformed("Statement IDs (SID) in a single policy must be unique.");
  }
  return { statements: statements.map(readStatement) };
}

function parse(text: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw malformed("Policy contains invalid json");
  }
  if (!isObject(document)) throw malformed("Policy contains invalid json");
  return document;
}

function readStatement(statement: unknown): Statement {
  if (!isObject(statement)) throw malformed("Syntax errors in policy: not a statement.");
  const unknown = Object.keys(statement).find((name) => !statementElements.includes(name));
  if (unknown !== undefined)
    throw malformed(`Syntax errors in policy: unknown element ${unknown}.`);
  const { Sid: sid, Condition: condition } = statement;
  if (sid !== undefined && typeof sid !== "string")
    throw malformed("Syntax errors in policy: Sid.");
  const principals = readPrincipals(statement);
  const read = { effect: effectOf(statement), principals, ...elementsOf(statement) };
  if (isObject(condition)) refuseResourceKeys(condition);
  return read;
}

/** For an identity policy: it names no principal, and may have conditions on resource tags. */
export function readStatements(text: string): ({ effect: "Allow" | "Deny" } & Elements)[] {
  const { Statement: statements } = parse(text);
  return [statements].flat().map((statement) => {
    if (!isObject(statement) || "Principal" in statement) {
      throw malformed("Syntax errors in policy: not a statement of an identity policy.");
    }
    return { effect: effectOf(statement), ...elementsOf(statement) };
  });
}

function effectOf({ Effect: effect }: Record<string, unknown>): "Allow" | "Deny" {
  if (effect === "Allow" || effect === "Deny") return effect;
  throw malformed("Syntax errors in policy: Effect must be Allow or Deny.");
}

function elementsOf(statement: Record<string, unknown>): Elements {
  return {
    actions: eitherOf(statement, "Action", "NotAction"),
    resources: eitherOf(statement, "Resource", "NotResource"),
    conditions: readConditions(statement["Condition"]),
  };
}

function readPrincipals(statement: Record<string, unknown>): Statement["principals"] {
  const { Principal: principal, NotPrincipal: notPrincipal } = statement;
  if ((principal === undefined) === (notPrincipal === undefined)) {
    throw malformed("Policy contains a statement with no principal, or with two.");
  }
  const negated = notPrincipal !== undefined;
  const value = negated ? notPrincipal : principal;
  if (value === "*") return { negated, of: "*" };
  if (!isObject(value)) throw invalidPrincipal();
  const of = { aws: [] as string[], service: [] as string[], federated: [] as string[] };
  for (const [kind, names] of Object.entries(value)) {
    const list = strings(names, invalidPrincipal);
    if (list.length === 0) throw invalidPrincipal();
    if (kind === "AWS") of.aws = list;
    else if (kind === "Service") of.service = list;
    else if (kind === "Federated" || kind === "CanonicalUser") of.federated.push(...list);
    else throw invalidPrincipal();
  }
  if (Object.keys(value).length === 0 || !of.aws.every(isAwsPrincipal)) throw invalidPrincipal();
  return { negated, of };
}

/** An account, a user, a role, a session; the twin does not check that it exists. */
function isAwsPrincipal(name: string): boolean {
  return (
    name === "*" ||
    /^\d{12}$/.test(name) ||
    /^arn:aws:iam::\d{12}:(?:root|user\/.+|role\/.+|federated-user\/.+)$/.test(name) ||
    /^arn:aws:sts::\d{12}:(?:assumed-role\/.+\/.+|federated-user\/.+)$/.test(name)
  );
}

function eitherOf(
  statement: Record<string, unknown>,
  name: string,
  negatedName: string,
): { negated: boolean; patterns: string[] } | undefined {
  const syntax = () => malformed(`Syntax errors in policy: ${name}.`);
  const { [name]: value, [negatedName]: negatedValue } = statement;
  if (value !== undefined && negatedValue !== undefined) throw syntax();
  if (value !== undefined) return { negated: false, patterns: strings(value, syntax) };
  if (negatedValue !== undefined) return { negated: true, patterns: strings(negatedValue, syntax) };
  return undefined;
}

function readConditions(condition: unknown): Conditions {
  if (condition === undefined) return [];
  if (!isObject(condition)) throw malformed("Syntax errors in policy: Condition.");
  const conditions: Conditions = [];
  for (const [operator, block] of Object.entries(condition)) {
    if (!isConditionOperator(operator)) throw malformed(`Invalid Condition type : ${operator}`);
    if (!isObject(block)) throw malformed("Syntax errors in policy: Condition.");
    for (const [key, values] of Object.entries(block)) {
      const scalars = (Array.isArray(values) ? values : [values]) as unknown[];
      conditions.push({ operator, key: key.toLowerCase(), values: scalars.map(conditionValue) });
    }
  }
  return conditions;
}

function conditionValue(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw malformed("Syntax errors in policy: Condition.");
}

/** "Tag authorization" and "ABAC for AWS KMS": these only work in IAM policies. */
function refuseResourceKeys(condition: Record<string, unknown>): void {
  const keys = Object.values(condition).flatMap((block) => Object.keys(block as object));
  const refused = keys.filter((key) =>
    /^(?:aws:resourcetag\/|kms:resourcetag(?:\/|$)|kms:resourcealiases$)/i.test(key),
  );
  if (refused.length === 0) return;
  const names = [...new Set(refused)].join(", ");
  throw malformed(`These condition keys are not permitted in a key policy: ${names}`);
}

function strings(value: unknown, problem: () => AwsError): string[] {
  const list = (Array.isArray(value) ? value : [value]) as unknown[];
  return list.map((each) => {
    if (typeof each !== "string") throw problem();
    return each;
  });
}

function invalidPrincipal(): AwsError {
  return malformed("Policy contains a statement with one or more invalid principals.");
}

export function malformed(message: string): AwsError {
  return new AwsError("MalformedPolicyDocumentException", message);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
