/**
 * Authorization for a key: its key policy, then its grants. If the key policy delegates to the
 * account, the identity policies of the principal decide. Source: "Key policies in AWS KMS", "Grants
 * in AWS KMS" and "Determining access to AWS KMS keys" in the AWS KMS Developer Guide.
 */
import { AwsError } from "../http/aws-error.ts";
import { matchesList, type IdentityDecision } from "../iam/identity-policies.ts";
import { conditionsHold, type RequestContext } from "./policy-conditions.ts";
import type { PolicyDocument, Statement } from "./policy-document.ts";
import { isPartOf } from "./grant-rules.ts";
import { accountNames, isPrincipal, principalNames } from "./principals.ts";
import { requestContext, type Facts } from "./request-context.ts";
import type { Call, Caller, Grant, KmsKey } from "./types.ts";

type Decision = "allowed" | "delegated" | "denied" | "not allowed";

type Question = {
  action: string;
  resource: string;
  caller: Caller;
  /** Called only to evaluate a condition. */
  context: () => RequestContext;
};

/** Throws AccessDeniedException if no policy and no grant allows the action. */
export function authorize(call: Call, key: KmsKey, facts: Facts): void {
  const question = questionOf(call, key, facts);
  const byIdentity = decideByIdentity(call, question);
  if (byIdentity === "denied") throw deniedByIdentity(question, byIdentity);
  const decision = decide(key.policy.document, question);
  if (decision === "allowed") return;
  if (decision === "delegated" && byIdentity !== "not allowed") return;
  if (decision === "denied") {
    throw accessDenied(question, "with an explicit deny in a resource-based policy");
  }
  if (grantAllows(key, call.caller, facts)) return;
  if (decision === "delegated") throw deniedByIdentity(question, byIdentity);
  const action = `kms:${facts.action}`;
  throw accessDenied(question, `because no resource-based policy allows the ${action} action`);
}

/** For requests without a key: only identity policies decide. `resource` is an ARN or `*`. */
export function authorizeByIdentity(call: Call, resource: string, facts: Facts): void {
  const context = () => requestContext(call, undefined, facts);
  const question = { action: facts.action, resource, caller: call.caller, context };
  const decision = decideByIdentity(call, question);
  if (decision === "denied" || decision === "not allowed") {
    throw deniedByIdentity(question, decision);
  }
}

/** The lockout safety check: may the caller change the policy again? */
export function wouldAllow(call: Call, key: KmsKey, policy: PolicyDocument, facts: Facts): boolean {
  return ["allowed", "delegated"].includes(decide(policy, questionOf(call, key, facts)));
}

function questionOf(call: Call, key: KmsKey, facts: Facts): Question {
  let context: RequestContext | undefined;
  return {
    action: facts.action,
    resource: key.arn,
    caller: call.caller,
    context: () => (context ??= requestContext(call, key, facts)),
  };
}

function decide(policy: PolicyDocument, question: Question): Decision {
  let decision: Decision = "not allowed";
  for (const statement of policy.statements) {
    if (!applies(statement, question)) continue;
    if (statement.effect === "Deny") return "denied";
    if (decision !== "allowed") decision = delegates(statement, question) ? "delegated" : "allowed";
  }
  return decision;
}

function decideByIdentity(call: Call, { action, resource, caller, context }: Question) {
  const { principalArn } = caller;
  const asked = { principalArn, action: `kms:${action}`, resource, context };
  return call.world.identityPolicies.decide(asked);
}

/** "Allows access to the AWS account": only for principals that IAM allows the same. */
function delegates({ principals }: Statement, { caller }: Question): boolean {
  const { negated, of } = principals;
  if (negated || of === "*") return false;
  const byAccount = accountNames(caller);
  const names = principalNames(caller).filter((name) => !byAccount.includes(name));
  return !of.aws.some((name) => names.includes(name));
}

function applies(statement: Statement, question: Question): boolean {
  const action = `kms:${question.action}`;
  return (
    matchesList(statement.actions, action, (text) => text.toLowerCase()) &&
    matchesList(statement.resources, question.resource, (text) => text) &&
    matchesPrincipals(statement, question.caller) &&
    (statement.conditions.length === 0 || conditionsHold(statement.conditions, question.context()))
  );
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
      constraintsHold(grant, caller, facts) &&
      (facts.grant === undefined || isPartOf(facts.grant, grant)),
  );
}

/** "Using grant constraints": they only restrict cryptographic operations. */
function constraintsHold(grant: Grant, { sourceArn }: Caller, facts: Facts): boolean {
  if (["DescribeKey", "RetireGrant", "CreateGrant"].includes(facts.action)) return true;
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } =
    grant.constraints ?? {};
  const source = grant.constraints?.SourceArn;
  if (source !== undefined && source !== sourceArn) return false;
  const context = facts.encryptionContext ?? {};
  const includes = (pairs: Record<string, string>) =>
    Object.entries(pairs).every(([name, value]) => context[name] === value);
  if (subset !== undefined && !includes(subset)) return false;
  if (equals === undefined) return true;
  return includes(equals) && Object.keys(equals).length === Object.keys(context).length;
}

function deniedByIdentity(question: Question, decision: IdentityDecision): AwsError {
  const why =
    decision === "denied"
      ? "with an explicit deny in an identity-based policy"
      : `because no identity-based policy allows the kms:${question.action} action`;
  return accessDenied(question, why);
}

function accessDenied(question: Question, why: string): AwsError {
  const who = `User: ${question.caller.principalArn} is not authorized to perform`;
  const message = `${who}: kms:${question.action} on resource: ${question.resource} ${why}`;
  return new AwsError("AccessDeniedException", message);
}
