/** Opens a key, in KMS's order: find it, authorize the caller, check its state. */
import { AwsError } from "../http/aws-error.ts";
import { authorize } from "./authorize.ts";
import type { Facts } from "./request-context.ts";
import { findKey, findKeyOrAlias } from "./resolve.ts";
import { checkState } from "./states.ts";
import type { Call, KmsKey } from "./types.ts";

/** The action is the operation's name, except ReEncrypt, which has two actions. */
export type OpenFacts = Omit<Facts, "action"> & {
  action?: string;
  /** The key that a ciphertext names; any other key is an error. */
  mustBe?: string | undefined;
};

/** For management operations: the key id or key ARN names a key that the caller may act on. */
export function openKey(call: Call, identifier: string, facts: OpenFacts = {}): KmsKey {
  const key = findKey(call, identifier);
  authorize(call, key, { action: call.operation, ...facts });
  checkState(call.operation, key, call.world);
  return key;
}

/** For operations that take aliases too. */
export function openKeyOrAlias(call: Call, identifier: string, facts: OpenFacts = {}): KmsKey {
  const { key, aliasName } = findKeyOrAlias(call, identifier);
  authorize(call, key, { action: call.operation, ...facts, aliasName });
  if (facts.mustBe !== undefined && facts.mustBe !== key.keyId) {
    const message =
      "The key ID in the request does not identify a CMK that can perform this operation.";
    throw new AwsError("IncorrectKeyException", message);
  }
  checkState(call.operation, key, call.world);
  return key;
}
