/**
 * Parses CloudTrail's events, through EventBridge, about successful calls that change a KMS key or an alias. Sources
 * as in `cloudtrail.ts`; "Logging AWS KMS API calls" in the KMS Developer Guide for the fields of each operation.
 *
 * Pure and total: every event gets an answer. `run/changed.ts` decides whether the key or the alias is a managed one.
 */
import {
  fieldsOf,
  isOwn,
  keyIdOf,
  maxKeys,
  principalOf,
  resourceArns,
  shown,
  textOf,
  whyForeign,
  type FunctionLocation,
} from "./cloudtrail.ts";

/**
 * What changes a key or an alias that an inspection reads. RetireGrant and RevokeGrant are absent: AWS services
 * retire a grant for every volume that they detach, and an inspection reads no grants. In the order of the rule's
 * pattern.
 */
export const changingOperations: ReadonlySet<string> = new Set([
  "CancelKeyDeletion",
  "CreateAlias",
  "DeleteAlias",
  "DeleteImportedKeyMaterial",
  "DisableKey",
  "DisableKeyRotation",
  "EnableKey",
  "EnableKeyRotation",
  "ImportKeyMaterial",
  "PutKeyPolicy",
  "ReplicateKey",
  "ScheduleKeyDeletion",
  "TagResource",
  "UntagResource",
  "UpdateAlias",
  "UpdatePrimaryRegion",
]);

/** A change by a principal other than keyturn's role. */
export type KeyChange = {
  operation: string;
  principal: string;
  eventId: string;
  keyIds: string[];
  alias?: string;
};

export type KeyChangeReading =
  | { kind: "no such event" }
  | { kind: "change"; change: KeyChange }
  | { kind: "ignored"; why: string };

export function readKeyChange(event: unknown, home: FunctionLocation = {}): KeyChangeReading {
  const outer = fieldsOf(event);
  const detail = fieldsOf(outer["detail"]);
  const operation = detail["eventName"];
  const isRefused = detail["errorCode"] !== undefined && detail["errorCode"] !== null;
  if (typeof operation !== "string" || !changingOperations.has(operation) || isRefused) {
    return { kind: "no such event" };
  }
  const foreign = whyForeign(outer, detail, home);
  if (foreign !== undefined) return { kind: "ignored", why: foreign };
  const identity = fieldsOf(detail["userIdentity"]);
  if (isOwn(identity, home)) return { kind: "ignored", why: "keyturn's own role made the call" };
  const request = fieldsOf(detail["requestParameters"]);
  const named = [...resourceArns(detail["resources"]), request["keyId"], request["targetKeyId"]];
  const keyIds = [...new Set(named.flatMap((one) => keyIdOf(one, home) ?? []))].slice(0, maxKeys);
  const alias = request["aliasName"];
  const isNamed = typeof alias === "string" && alias.startsWith("alias/");
  if (keyIds.length === 0 && !isNamed) {
    return {
      kind: "ignored",
      why: `${shown(operation)} names no KMS key of this account and Region`,
    };
  }
  const change = {
    operation,
    principal: principalOf(identity),
    eventId: textOf(detail["eventID"]) ?? "",
    keyIds,
    ...(isNamed ? { alias: alias.slice(0, 256) } : {}),
  };
  return { kind: "change", change };
}
