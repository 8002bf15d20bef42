/**
 * Who may do what with a key: its key policy, then its grants. Source: "Key policies in AWS KMS",
 * "Grants in AWS KMS" and "Determining access to AWS KMS keys" in the AWS KMS Developer Guide. IAM
 * policies are beyond the twin: where the key policy delegates to the account, every principal of
 * the account is allowed.
 */
import { AwsError } from "../http/aws-error.ts";
import { conditionsHold, matchesPattern, type RequestContext } from "./policy-conditions.ts";
import type { PolicyDocument, Statement } from "./policy-document.ts";
import { isPartOf } from "./grant-rules.ts";
import { isPrincipal, principalNames } from "./principals.ts";
import { requestContext, type Facts } from "./request-context.ts";
import type { Call, Caller, Grant, KmsKey } from "./types.ts";

type Decision = "allowed" | "denied" | "not allowed";

type Question = {
  action: string;
  keyArn: string;
  caller: Caller;
  /** Asked for only where a condition has to be weighed. */
  context: () => RequestContext;
};

/** Throws AccessDeniedException where neither the key policy nor a grant allows the action. */
export function authorize(call: Call, key: KmsKey, facts: Facts): void {
  const question = questionOf(call, key, facts);
  const decision = decide(key.policy.document, question);
  if (decision === "allowed") return;
  if (decision === "denied") {
    throw accessDenied(question, "with an explicit deny in a resource-based policy");
  }
  if (grantAllows(key, call.caller, facts)) return;
  const action = `kms:${facts.action}`;
  throw accessDenied(question, `because no resource-based policy allows the ${action} action`);
}

/** What the lockout safety check asks: may the caller change the policy again? */
export function wouldAllow(call: Call, key: KmsKey, policy: PolicyDocument, facts: Facts): boolean {
  return decide(policy, questionOf(call, key, facts)) === "allowed";
}

function questionOf(call: Call, key: KmsKey, facts: Facts): Question {
  let context: RequestContext | undefined;
  return {
    action: facts.action,
    keyArn: key.arn,
    caller: call.caller,
    context: () => (context ??= requestContext(call, key, facts)),
  };
}

function decide(policy: PolicyDocument, question: Question): Decision {
  let decision: Decision = "not allowed";
  for (const statement of policy.statements) {
    if (!applies(statement, question)) continue;
    if (statement.effect === "Deny") return "denied";
    decision = "allowed";
  }
  return decision;
}

function applies(statement: Statement, question: Question): boolean {
  const action = `kms:${question.action}`;
  return (
    matchesList(statement.actions, action, (text) => text.toLowerCase()) &&
    matchesList(statement.resources, question.keyArn, (text) => text) &&
    matchesPrincipals(statement, question.caller) &&
    (statement.conditions.length === 0 || conditionsHold(statement.conditions, question.context()))
  );
}

function matchesList(
  list: Statement["actions"],
  value: string,
  fold: (text: string) => string,
): boolean {
  if (list === undefined) return false;
  const matched = list.patterns.some((pattern) => matchesPattern(fold(value), fold(pattern)));
  return matched !== list.negated;
}

function matchesPrincipals(statement: Statement, caller: Caller): boolean {
  const { negated, of } = statement.principals;
  if (of === "*") return !negated;
  const names = principalNames(caller);
  return of.aws.some((name) => names.includes(name)) !== negated;
}

function grantAllows(key: KmsKey, caller: Caller, facts: Facts): boolean {
  if (key.grants.size === 0) return false;
  return [...key.grants.values()].some(
    (grant) =>
      grant.operations.includes(facts.action) &&
      isPrincipal(caller, grant.grantee) &&
      constraintsHold(grant, facts) &&
      (facts.grant === undefined || isPartOf(facts.grant, grant)),
  );
}

/** "Using grant constraints": they bind cryptographic operations alone. */
function constraintsHold(grant: Grant, facts: Facts): boolean {
  if (["DescribeKey", "RetireGrant", "CreateGrant"].includes(facts.action)) return true;
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } =
    grant.constraints ?? {};
  const context = facts.encryptionContext ?? {};
  const includes = (pairs: Record<string, string>) =>
    Object.entries(pairs).every(([name, value]) => context[name] === value);
  if (subset !== undefined && !includes(subset)) return false;
  if (equals === undefined) return true;
  return includes(equals) && Object.keys(equals).length === Object.keys(context).length;
}

function accessDenied(question: Question, why: string): AwsError {
  const who = `User: ${question.caller.principalArn} is not authorized to perform`;
  const message = `${who}: kms:${question.action} on resource: ${question.keyArn} ${why}`;
  return new AwsError("AccessDeniedException", message);
}
