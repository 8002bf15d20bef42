/**
 * KMS's record of each key's last use. Source: GetKeyLastUsage in the AWS KMS API reference;
 * "Determine past usage of a KMS key" and "kms:TrailingDaysWithoutKeyUsage" in the Developer Guide.
 */
import type { Call, KmsKey, Use, World } from "./types.ts";

const dayMs = 86_400_000;

/** Records a successful cryptographic operation; it becomes visible after the lag. */
export function recordUse(call: Call, key: KmsKey, operationName: string): void {
  const { world, nowMs } = call;
  const use = {
    operation: operationName,
    atMs: nowMs,
    eventId: world.random.uuid(),
    requestId: call.requestId,
  };
  if (key.uses.at(-1)?.atMs === nowMs) key.uses.pop();
  key.uses.push(use);
  forgetOlderUses(world, key, nowMs);
}

export function visibleUse(world: World, key: KmsKey, nowMs: number): Use | undefined {
  return key.uses.findLast((use) => use.atMs <= nowMs - world.lastUsageLagMs);
}

/** Whole days since the last known use; for an unused key, since its tracking began. */
export function trailingDaysWithoutUse(world: World, key: KmsKey, nowMs: number): number {
  const sinceMs = visibleUse(world, key, nowMs)?.atMs ?? trackingStartMs(world, key);
  return Math.max(0, Math.floor((nowMs - sinceMs) / dayMs));
}

function forgetOlderUses(world: World, key: KmsKey, nowMs: number): void {
  const visible = key.uses.findLastIndex((use) => use.atMs <= nowMs - world.lastUsageLagMs);
  if (visible > 0) key.uses.splice(0, visible);
}

/** The time from which KMS tracks the uses of this key. */
export function trackingStartMs(world: World, key: KmsKey): number {
  return Math.max(world.trackingStartMs, key.createdAtMs);
}
