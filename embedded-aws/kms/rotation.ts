/**
 * Rotation of a key's material. Source: "Rotate AWS KMS keys" in the AWS KMS Developer Guide
 * and the pages of EnableKeyRotation, GetKeyRotationStatus, RotateKeyOnDemand and ListKeyRotations.
 */
import { AwsError } from "../http/aws-error.ts";
import { integer, oneOf, structure } from "../http/shape.ts";
import { keyIdShape, pageShapes } from "./common-shapes.ts";
import { openKey } from "./open-key.ts";
import { operation } from "./operation.ts";
import { pageOf } from "./pages.ts";
import { unsupportedOrigin } from "./states.ts";
import type { Call, KeyMaterial, KmsKey, World } from "./types.ts";

const dayMs = 86_400_000;
const minuteMs = 60_000;
const maxOnDemand = 25;
const onlyKey = structure({ KeyId: keyIdShape }, {});

/**
 * Makes the due rotations. A disabled key is not rotated; once it is enabled again, an overdue
 * rotation happens at once. (Call this before and after a state change.)
 */
export function settleRotation(world: World, key: KmsKey, nowMs: number): void {
  const automatic = key.automaticRotation;
  if (automatic === undefined || key.state !== "Enabled") return;
  if (automatic.nextMs < (key.enabledAtMs ?? 0)) automatic.nextMs = key.enabledAtMs ?? 0;
  while (automatic.nextMs <= nowMs) {
    const rotation = { atMs: automatic.nextMs, type: "AUTOMATIC" as const };
    key.materials.push({ id: world.random.hex(64), rotation });
    automatic.nextMs += automatic.periodDays * dayMs;
  }
}

export const rotationOperations = {
  EnableKeyRotation: operation(
    structure({ KeyId: keyIdShape }, { RotationPeriodInDays: integer({ min: 90, max: 2560 }) }),
    (call, input) => {
      const periodDays = input.RotationPeriodInDays ?? 365;
      const values = { "kms:RotationPeriodInDays": String(periodDays) };
      const key = openRotating(call, input.KeyId, { values });
      if (key.automaticRotation?.periodDays === periodDays) return;
      key.automaticRotation = { periodDays, nextMs: call.nowMs + periodDays * dayMs };
    },
  ),

  DisableKeyRotation: operation(onlyKey, (call, input) => {
    delete openRotating(call, input.KeyId).automaticRotation;
  }),

  GetKeyRotationStatus: operation(onlyKey, (call, input) => {
    const key = openKey(call, input.KeyId);
    // No error since April 2026, also for keys that never rotate: "false" (floci-io/floci#618).
    if (key.customKeyStoreId !== undefined) throw unsupportedOrigin(key);
    settleRotation(call.world, key, call.nowMs);
    const { automaticRotation: automatic } = key;
    // Suspended while deletion is pending; cancelling the deletion resumes it.
    if (automatic === undefined || key.state === "PendingDeletion") {
      return { KeyId: key.arn, KeyRotationEnabled: false };
    }
    return {
      KeyId: key.arn,
      KeyRotationEnabled: true,
      RotationPeriodInDays: automatic.periodDays,
      NextRotationDate: new Date(automatic.nextMs),
    };
  }),

  RotateKeyOnDemand: operation(onlyKey, (call, input) => {
    const key = openRotating(call, input.KeyId);
    const nextMs = key.automaticRotation?.nextMs ?? Infinity;
    if (nextMs - call.nowMs <= 20 * minuteMs) {
      const message = `An automatic rotation of ${key.arn} is due within 20 minutes.`;
      throw new AwsError("ConflictException", message);
    }
    const made = key.materials.filter((material) => material.rotation?.type === "ON_DEMAND");
    if (made.length >= maxOnDemand) {
      const message =
        "The on-demand rotations limit has been reached for the given keyId. " +
        `No more on-demand rotations can be performed for this key: ${key.arn}`;
      throw new AwsError("LimitExceededException", message);
    }
    const rotation = { atMs: call.nowMs, type: "ON_DEMAND" as const };
    key.materials.push({ id: call.world.random.hex(64), rotation });
    return { KeyId: key.arn };
  }),

  ListKeyRotations: operation(
    structure(
      { KeyId: keyIdShape },
      { IncludeKeyMaterial: oneOf("ALL_KEY_MATERIAL", "ROTATIONS_ONLY"), ...pageShapes(1000) },
    ),
    (call, input) => {
      const key = openRotating(call, input.KeyId, { imported: true });
      const all = input.IncludeKeyMaterial === "ALL_KEY_MATERIAL";
      const numbered = key.materials.map((material, number) => ({ material, number }));
      const listed = numbered.filter(({ material }) => all || material.rotation !== undefined);
      const { items, rest } = pageOf(listed, ({ number }) => number, input, {
        scope: `rotations ${key.keyId} ${all}`,
        defaultLimit: 100,
      });
      return { Rotations: items.map(({ material }) => rotationEntry(key, material)), ...rest };
    },
  ),
};

function rotationEntry(key: KmsKey, material: KeyMaterial) {
  const { rotation } = material;
  return {
    KeyId: key.arn,
    KeyMaterialId: material.id,
    KeyMaterialState: material === key.materials.at(-1) ? "CURRENT" : "NON_CURRENT",
    ...(rotation === undefined
      ? {}
      : { RotationDate: new Date(rotation.atMs), RotationType: rotation.type }),
  };
}

/** Only symmetric encryption keys rotate; with imported material, only on demand. */
function openRotating(
  call: Call,
  keyId: string,
  options: { values?: Record<string, string>; imported?: boolean } = {},
): KmsKey {
  const key = openKey(call, keyId, options.values === undefined ? {} : { values: options.values });
  if (key.spec !== "SYMMETRIC_DEFAULT") throw new AwsError("UnsupportedOperationException", "");
  const rotatable = key.origin === "AWS_KMS" || (key.origin === "EXTERNAL" && options.imported);
  if (rotatable !== true) throw unsupportedOrigin(key);
  settleRotation(call.world, key, call.nowMs);
  return key;
}
