/**
 * The settle rule: KMS has no compare-and-swap, so a call of an earlier run may still land. Until
 * it cannot, keyturn makes no changing call on any version or alias of the managed key.
 */
import { believableAheadMs, clockSkewMs, consistencyMs, requestLimitMs } from "../model/limits.ts";
import type { Call, Claim, ManagedKey, Unsettled } from "../model/types.ts";

/** The latest time at which a call of a run with this deadline can land and become visible. */
export function unsettledUntilMs(deadlineMs: number): number {
  return deadlineMs + requestLimitMs + clockSkewMs + consistencyMs;
}

/** Adds this epoch's own entry, and removes expired ones. */
export function marked(list: Unsettled[], own: Unsettled, nowMs: number): Unsettled[] {
  return [...inForce(list, nowMs).filter((entry) => entry.epoch !== own.epoch), own];
}

/** Removes this epoch's own entry: all of its calls have a definite answer on record. */
export function settled(list: Unsettled[], epoch: number, nowMs: number): Unsettled[] {
  return inForce(list, nowMs).filter((entry) => entry.epoch !== epoch);
}

/** The list at the end of a pass: a call of its epoch without an answer may still land. */
export function leftUnsettled(
  list: Unsettled[],
  epoch: number,
  uncertain: boolean,
  nowMs: number,
): Unsettled[] {
  return uncertain ? list : settled(list, epoch, nowMs);
}

function inForce(list: Unsettled[], nowMs: number): Unsettled[] {
  return list.filter((entry) => entry.untilMs > nowMs);
}

/** Restore calls never wait: they only enable a key that a caller may need. */
export function isExempt(call: Call): boolean {
  return call.kind === "EnableKey" || call.kind === "CancelKeyDeletion";
}

/**
 * Until when this epoch may make no changing call; undefined where nothing blocks it. After a call
 * without a known answer, its own entry blocks an epoch too.
 */
export function blockedUntilMs(
  list: Unsettled[],
  epoch: number,
  uncertain: boolean,
  nowMs: number,
): number | undefined {
  const inTheWay = inForce(list, nowMs).filter((entry) => uncertain || entry.epoch !== epoch);
  return inTheWay.length === 0 ? undefined : Math.max(...inTheWay.map((entry) => entry.untilMs));
}

/** Whether a call of that epoch could still be under way. */
export function mayStillLand(list: Unsettled[], epoch: number, nowMs: number): boolean {
  return inForce(list, nowMs).some((entry) => entry.epoch === epoch);
}

/** Whether a claim or mark ends so far ahead that a wrong clock must have written it. */
export function clockIsSkewed(
  record: Pick<ManagedKey, "unsettled"> & { claim?: Claim },
  nowMs: number,
): boolean {
  const untilMs = record.unsettled.map((entry) => entry.untilMs);
  if (record.claim !== undefined) untilMs.push(record.claim.untilMs);
  return untilMs.some((ends) => ends > nowMs + believableAheadMs);
}
