/**
 * Whether EventBridge matches an event to a pattern, for the operators of the rules. Source: "Creating
 * Amazon EventBridge event patterns" and "Comparison operators" in the EventBridge User Guide.
 */
import { matchesPattern } from "../../embedded-aws/kms/policy-conditions.ts";

type Fields = Record<string, unknown>;

/** A field that the pattern names must be in the event; `$or` needs one of its patterns to match. */
export function matches(pattern: Fields, event: unknown): boolean {
  const fields = isFields(event) ? event : {};
  return Object.entries(pattern).every(([name, wanted]) => {
    if (name === "$or") return (wanted as Fields[]).some((one) => matches(one, fields));
    if (!Array.isArray(wanted)) return matches(wanted as Fields, fields[name]);
    return wanted.some((one) => isLike(one, fields[name]));
  });
}

function isLike(wanted: unknown, value: unknown): boolean {
  if (!isFields(wanted)) return wanted === value;
  const [[operator, operand] = [], ...others] = Object.entries(wanted);
  if (operator === "wildcard" && typeof operand === "string" && others.length === 0) {
    return typeof value === "string" && matchesPattern(value, operand);
  }
  if (operator === "exists" && operand === false && others.length === 0) return value === undefined;
  const { suffix } = isFields(operand) ? operand : {};
  if (operator === "anything-but" && Array.isArray(suffix) && others.length === 0) {
    if (typeof value !== "string") return value !== undefined;
    return !suffix.some((end) => value.endsWith(String(end)));
  }
  throw new Error(`unsupported: ${JSON.stringify(wanted)}`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
