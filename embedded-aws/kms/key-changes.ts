/**
 * The EventBridge event of a successful call that changes a key or an alias. Source: the log entries of "Logging AWS
 * KMS API calls" in the KMS Developer Guide, which name the alias beside the key.
 */
import { lowerFirst } from "../http/shape.ts";
import { eventOf, resourceOf, type CloudTrailEvent } from "./cloudtrail-record.ts";
import type { Call } from "./types.ts";

export type KeyChangeEvent = Omit<CloudTrailEvent, "detail"> & {
  detail: Omit<CloudTrailEvent["detail"], "errorCode" | "resources"> & { resources: object[] };
};

const changes = new Set([
  ...["CreateAlias", "UpdateAlias", "DeleteAlias"],
  ...["EnableKey", "DisableKey", "ScheduleKeyDeletion", "CancelKeyDeletion"],
  ...["TagResource", "UntagResource", "PutKeyPolicy", "EnableKeyRotation", "DisableKeyRotation"],
]);

/** Undefined for a call that reads, or that creates a key. */
export function keyChangeOf(call: Call, input: unknown): KeyChangeEvent | undefined {
  if (!changes.has(call.operation)) return undefined;
  const requestParameters = parametersIn(input as object);
  const event = eventOf(call, { errorCode: "", requestParameters }, {});
  const { errorCode: _, ...detail } = event.detail;
  return { ...event, detail: { ...detail, readOnly: false, resources: resourcesOf(call, input) } };
}

function resourcesOf(call: Call, input: unknown): object[] {
  const { account, region } = call.world;
  const { AliasName } = input as { AliasName?: string };
  const alias = { accountId: account, ARN: `arn:aws:kms:${region}:${account}:${AliasName ?? ""}` };
  const key = call.keyId === undefined ? undefined : call.world.keys.get(call.keyId);
  const ofKey = key === undefined ? [] : [resourceOf(call, key)];
  return AliasName === undefined ? ofKey : [alias, ...ofKey];
}

function parametersIn(input: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).map(([name, one]) => [lowerFirst(name), one]));
}
