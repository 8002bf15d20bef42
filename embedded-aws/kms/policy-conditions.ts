/**
 * Condition operators over the values that a request carries. Source: "IAM JSON policy elements:
 * Condition operators" and "Set operators for multi-valued context keys" in the IAM User Guide.
 */

/** Condition keys in lower case, each with its value or values. */

export type Conditions = { operator: string; key: string; values: string[] }[];

export type RequestContext = ReadonlyMap<string, readonly string[]>;

type Comparison = (actual: string, wanted: string) => boolean;

const numeric =
  (compare: (a: number, b: number) => boolean): Comparison =>
  (actual, wanted) =>
    compare(Number(actual), Number(wanted));

const dated =
  (compare: (a: number, b: number) => boolean): Comparison =>
  (actual, wanted) =>
    compare(instantMs(actual), instantMs(wanted));

const equal: Comparison = (actual, wanted) => actual === wanted;
const equalIgnoringCase: Comparison = (actual, wanted) =>
  actual.toLowerCase() === wanted.toLowerCase();

const comparisons: Record<string, Comparison> = {
  StringEquals: equal,
  StringEqualsIgnoreCase: equalIgnoringCase,
  StringLike: matchesPattern,
  NumericEquals: numeric((a, b) => a === b),
  NumericLessThan: numeric((a, b) => a < b),
  NumericLessThanEquals: numeric((a, b) => a <= b),
  NumericGreaterThan: numeric((a, b) => a > b),
  NumericGreaterThanEquals: numeric((a, b) => a >= b),
  DateEquals: dated((a, b) => a === b),
  DateLessThan: dated((a, b) => a < b),
  DateLessThanEquals: dated((a, b) => a <= b),
  DateGreaterThan: dated((a, b) => a > b),
  DateGreaterThanEquals: dated((a, b) => a >= b),
  Bool: equalIgnoringCase,
  BinaryEquals: equal,
  // Each of the six parts may contain wildcards; for the supported condition keys this is the same.
  ArnEquals: matchesPattern,
  ArnLike: matchesPattern,
  IpAddress: equal,
};

/** Matches if the negated operator does not, or if the key is absent. */
const negations: Record<string, string> = {
  StringNotEquals: "StringEquals",
  StringNotEqualsIgnoreCase: "StringEqualsIgnoreCase",
  StringNotLike: "StringLike",
  NumericNotEquals: "NumericEquals",
  DateNotEquals: "DateEquals",
  ArnNotEquals: "ArnEquals",
  ArnNotLike: "ArnLike",
  NotIpAddress: "IpAddress",
};

type Operator = {
  set: "ForAllValues" | "ForAnyValue" | undefined;
  ifExists: boolean;
  base: string;
};

export function isConditionOperator(name: string): boolean {
  const { base, set } = readOperator(name);
  if (base === "Null") return set === undefined;
  return base in comparisons || base in negations;
}

/** True when every condition holds: conditions are joined by AND, their values by OR. */
export function conditionsHold(conditions: Conditions, context: RequestContext): boolean {
  return conditions.every(({ operator, key, values }) =>
    holds(readOperator(operator), context.get(key), values),
  );
}

function holds(
  operator: Operator,
  actual: readonly string[] | undefined,
  wanted: readonly string[],
): boolean {
  const absent = actual === undefined || actual.length === 0;
  if (operator.base === "Null") return wanted.some((value) => value === String(absent));
  const negated = negations[operator.base];
  if (absent) {
    if (operator.ifExists || operator.set === "ForAllValues") return true;
    return negated !== undefined && operator.set === undefined;
  }
  const compare = comparisons[negated ?? operator.base] ?? equal;
  const one = (value: string): boolean => {
    const matched = wanted.some((each) => compare(value, each));
    return negated === undefined ? matched : !matched;
  };
  if (operator.set === "ForAnyValue") return actual.some(one);
  if (operator.set === "ForAllValues" || negated !== undefined) return actual.every(one);
  return actual.some(one);
}

function readOperator(name: string): Operator {
  const [prefix = "", rest] = name.split(":", 2);
  const set = rest !== undefined && (prefix === "ForAllValues" || prefix === "ForAnyValue");
  const bare = set ? rest : name;
  const ifExists = bare.endsWith("IfExists");
  const base = ifExists ? bare.slice(0, -"IfExists".length) : bare;
  return { set: set ? prefix : undefined, ifExists, base };
}

const patterns = new Map<string, RegExp>();

/** `*` matches any characters, `?` one. */
export function matchesPattern(actual: string, pattern: string): boolean {
  if (!pattern.includes("*") && !pattern.includes("?")) return actual === pattern;
  let expression = patterns.get(pattern);
  if (expression === undefined) {
    const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
    const source = escaped.replaceAll("*", ".*").replaceAll("?", ".");
    expression = new RegExp(`^${source}$`, "s");
    patterns.set(pattern, expression);
  }
  return expression.test(actual);
}

/** Dates are in ISO 8601 or epoch seconds. */
function instantMs(date: string): number {
  return /^\d+$/.test(date) ? Number(date) * 1000 : Date.parse(date);
}
