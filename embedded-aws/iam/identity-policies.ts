/**
 * What IAM allows a principal, by the policies attached to it. A principal that none was attached to
 * is beyond this twin: it may do all that resource policies let IAM decide. Source: "Policy evaluation
 * logic" in the IAM User Guide.
 */
import { conditionsHold, matchesPattern, type RequestContext } from "../kms/policy-conditions.ts";
import { readStatements, type Elements } from "../kms/policy-document.ts";

export type IdentityDecision = "allowed" | "denied" | "not allowed" | "not asked";

export type WellFormedRequest = {
  principalArn: string;
  /** In full: `kms:CreateKey`. */
  action: string;
  /** An ARN, or `*` where the action knows no resource. */
  resource: string;
  /** Asked for only where a condition has to be weighed. */
  context: () => RequestContext;
};

type IdentityStatement = { effect: "Allow" | "Deny" } & Elements;

export class IdentityPolicies {
  readonly #statements = new Map<string, IdentityStatement[]>();

  /** In place of what was attached before; policy documents as JSON, their variables filled in. */
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

/** As an element and its negation (`Action`, `NotAction`) are matched; one that is missing never is. */
export function matchesList(
  list: Elements["actions"],
  value: string,
  fold: (text: string) => string,
): boolean {
  if (list === undefined) return false;
  const matched = list.patterns.some((pattern) => matchesPattern(fold(value), fold(pattern)));
  return matched !== list.negated;
}
