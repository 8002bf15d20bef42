/**
 * The permissions of a principal from its attached policies. The twin does not model a principal
 * without attached policies: it may do all that resource policies delegate to IAM. Source: "Policy
 * evaluation logic" in the IAM User Guide.
 */
import { conditionsHold, matchesPattern, type RequestContext } from "../kms/policy-conditions.ts";
import { readStatements, type Elements } from "../kms/policy-document.ts";

export type IdentityDecision = "allowed" | "denied" | "not allowed" | "not asked";

export type WellFormedRequest = {
  principalArn: string;
  /** With its service: `kms:CreateKey`. */
  action: string;
  /** An ARN, or `*` if the action has no resource. */
  resource: string;
  /** Called only to evaluate a condition. */
  context: () => RequestContext;
};

type IdentityStatement = { effect: "Allow" | "Deny" } & Elements;

export class IdentityPolicies {
  readonly #statements = new Map<string, IdentityStatement[]>();

  /** Replaces the attached policies; policy documents as JSON, with their variables filled in. */
  attach(principalArn: string, documents: string[]): void {
    const statements = documents.flatMap((document) => readStatements(document));
    this.#statements.set(principalArn, statements);
  }

  decide(asked: WellFormedRequest): IdentityDecision {
    const statements = this.#statements.get(asked.principalArn);
    if (statements === undefined) return "not asked";
    const applying = statements.filter((statement) => applies(statement, asked));
    if (applying.some(({ effect }) => effect === "Deny")) return "denied";
    return applying.length > 0 ? "allowed" : "not allowed";
  }
}

function applies(
  statement: IdentityStatement,
  { action, resource, context }: WellFormedRequest,
): boolean {
  const { actions, resources, conditions } = statement;
  return (
    matchesList(actions, action, (text) => text.toLowerCase()) &&
    matchesList(resources, resource, (text) => text) &&
    (conditions.length === 0 || conditionsHold(conditions, context()))
  );
}

/** Matches an element or its negation (`Action`, `NotAction`); a missing element never matches. */
export function matchesList(
  list: Elements["actions"],
  value: string,
  fold: (text: string) => string,
): boolean {
  if (list === undefined) return false;
  const matched = list.patterns.some((pattern) => matchesPattern(fold(value), fold(pattern)));
  return matched !== list.negated;
}
