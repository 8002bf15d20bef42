/** The key lifecycle: DescribeKey, ListKeys, descriptions, enabling, disabling and deletion. */
import { integer, list, oneOf, structure } from "../http/shape.ts";
import { authorizeByIdentity } from "./authorize.ts";
import { removeAlias } from "./aliases.ts";
import { associatePredefined } from "./aws-managed.ts";
import { descriptionShape, grantTokensShape, keyIdShape, pageShapes } from "./common-shapes.ts";
import { keyMetadata } from "./metadata.ts";
import { openKey, openKeyOrAlias } from "./open-key.ts";
import { operation } from "./operation.ts";
import { pageOf } from "./pages.ts";
import { settleRotation } from "./rotation.ts";
import type { Call, World } from "./types.ts";

const dayMs = 86_400_000;
const onlyKey = structure({ KeyId: keyIdShape }, {});

/** No other account shares its keys with this one. */
const owners = list(oneOf("SELF", "OTHER_ACCOUNTS_VIA_RAM"), { min: 1, max: 2 });
const listKeysInput = structure({}, { ResourceOwners: owners, ...pageShapes(1000) });

export const lifecycleOperations = {
  DescribeKey: operation(
    structure({ KeyId: keyIdShape }, { GrantTokens: grantTokensShape }),
    (call, input) => {
      associatePredefined(call, input.KeyId);
      const key = openKeyOrAlias(call, input.KeyId);
      settleRotation(call.world, key, call.nowMs);
      return { KeyMetadata: keyMetadata(call.world, key) };
    },
  ),

  ListKeys: operation(listKeysInput, (call, input) => {
    authorizeByIdentity(call, "*", { action: "ListKeys" });
    const { items, rest } = pageOf(call.world.keys.values(), (key) => key.sequence, input, {
      scope: "keys",
      defaultLimit: 100,
    });
    return { Keys: items.map((key) => ({ KeyId: key.keyId, KeyArn: key.arn })), ...rest };
  }),

  UpdateKeyDescription: operation(
    structure({ KeyId: keyIdShape, Description: descriptionShape }, {}),
    (call, input) => {
      openKey(call, input.KeyId).description = input.Description;
    },
  ),

  EnableKey: operation(onlyKey, (call, input) => {
    const key = openKey(call, input.KeyId);
    if (key.state === "Disabled") {
      key.state = "Enabled";
      key.enabledAtMs = call.nowMs;
    }
    if (key.state === "Unavailable") key.stateWhenAvailable = "Enabled";
    settleRotation(call.world, key, call.nowMs);
  }),

  DisableKey: operation(onlyKey, (call, input) => {
    const key = openKey(call, input.KeyId);
    settleRotation(call.world, key, call.nowMs);
    if (key.state === "Enabled") key.state = "Disabled";
    // Footnote 12 of the key state table: this takes effect when the key becomes available.
    if (key.state === "Unavailable") key.stateWhenAvailable = "Disabled";
  }),

  ScheduleKeyDeletion: operation(
    structure(
      { KeyId: keyIdShape },
      // The API model allows 1 to 365; the documentation 7 to 30.
      { PendingWindowInDays: integer({ min: 7, max: 30 }) },
    ),
    (call, input) => scheduleDeletion(call, input.KeyId, input.PendingWindowInDays ?? 30),
  ),

  CancelKeyDeletion: operation(onlyKey, (call, input) => {
    const key = openKey(call, input.KeyId);
    key.state = key.materials.length === 0 ? "PendingImport" : "Disabled";
    delete key.deletionAtMs;
    call.world.pendingDeletion.delete(key);
    return { KeyId: key.arn };
  }),
};

function scheduleDeletion(call: Call, keyId: string, windowDays: number) {
  const values = { "kms:ScheduleKeyDeletionPendingWindowInDays": String(windowDays) };
  const key = openKey(call, keyId, { values });
  settleRotation(call.world, key, call.nowMs);
  key.state = "PendingDeletion";
  key.deletionAtMs = call.nowMs + windowDays * dayMs;
  call.world.pendingDeletion.add(key);
  return {
    KeyId: key.arn,
    DeletionDate: new Date(key.deletionAtMs),
    KeyState: key.state,
    PendingWindowInDays: windowDays,
  };
}

/** Deletes due keys, and the aliases that point at them. */
export function sweepDeleted(world: World, nowMs: number): void {
  for (const key of world.pendingDeletion) {
    if (key.deletionAtMs === undefined || key.deletionAtMs > nowMs) continue;
    world.pendingDeletion.delete(key);
    world.keys.delete(key.keyId);
    for (const name of key.aliasNames) removeAlias(world, name);
  }
}
