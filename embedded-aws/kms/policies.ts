/** Key policies: GetKeyPolicy, PutKeyPolicy, ListKeyPolicies, and the lockout safety check. */
import { AwsError } from "../http/aws-error.ts";
import { flag, structure } from "../http/shape.ts";
import { wouldAllow } from "./authorize.ts";
import { keyIdShape, pageShapes, policyNameShape, policyShape } from "./common-shapes.ts";
import { openKey } from "./open-key.ts";
import { operation } from "./operation.ts";
import { pageOf } from "./pages.ts";
import { malformed, readPolicy, type PolicyDocument } from "./policy-document.ts";
import type { Call, KmsKey } from "./types.ts";

/** "Default key policy" of the AWS KMS Developer Guide: the account delegates to IAM. */
export function defaultPolicy(account: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Id: "key-default-1",
    Statement: [
      {
        Sid: "Enable IAM User Permissions",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  });
}

export function storePolicy(text: string): KmsKey["policy"] {
  const document = readPolicy(text);
  return { text: pretty(JSON.parse(text), ""), document };
}

/** "The key policy must allow the calling principal to make a subsequent PutKeyPolicy request." */
export function checkLockout(call: Call, key: KmsKey, document: PolicyDocument): void {
  const values = { "kms:BypassPolicyLockoutSafetyCheck": "false" };
  if (wouldAllow(call, key, document, { action: "PutKeyPolicy", values })) return;
  throw malformed("The new key policy will not allow you to update the key policy in the future.");
}

const put = structure(
  { KeyId: keyIdShape, Policy: policyShape },
  { PolicyName: policyNameShape, BypassPolicyLockoutSafetyCheck: flag() },
);

export const policyOperations = {
  GetKeyPolicy: operation(
    structure({ KeyId: keyIdShape }, { PolicyName: policyNameShape }),
    (call, input) => {
      const key = openKey(call, input.KeyId);
      if ((input.PolicyName ?? "default") !== "default") {
        throw new AwsError("NotFoundException", "No such policy exists");
      }
      return { Policy: key.policy.text, PolicyName: "default" };
    },
  ),

  PutKeyPolicy: operation(put, (call, input) => {
    const bypass = input.BypassPolicyLockoutSafetyCheck ?? false;
    const values = { "kms:BypassPolicyLockoutSafetyCheck": String(bypass) };
    const key = openKey(call, input.KeyId, { values });
    if ((input.PolicyName ?? "default") !== "default") {
      throw new AwsError("UnsupportedOperationException", "Only default policy is supported");
    }
    const policy = storePolicy(input.Policy);
    if (!bypass) checkLockout(call, key, policy.document);
    key.policy = policy;
  }),

  ListKeyPolicies: operation(structure({ KeyId: keyIdShape }, pageShapes(1000)), (call, input) => {
    const key = openKey(call, input.KeyId);
    const scope = `policies ${key.keyId}`;
    const { items, rest } = pageOf(["default"], (name) => name, input, {
      scope,
      defaultLimit: 100,
    });
    return { PolicyNames: items, ...rest };
  }),
};

/** KMS returns a policy in its own layout: a client must not compare it with the text that it put. */
function pretty(value: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return value.length === 0 ? "[ ]" : `[ ${value.map((v) => pretty(v, indent)).join(", ")} ]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, member]) => `${inner}${JSON.stringify(name)} : ${pretty(member, inner)}`,
  );
  return members.length === 0 ? "{ }" : `{\n${members.join(",\n")}\n${indent}}`;
}
