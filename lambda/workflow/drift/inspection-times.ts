/** When keyturn inspects the versions of a managed key. */
import { consistencyMs, longestInspectionMs, shortestInspectionMs } from "../model/limits.ts";
import type { ManagedKey, Rotation, Version } from "../model/types.ts";

/**
 * An interval of its own for each managed key: those that are enrolled at one moment, or begin with one upgrade, spread
 * over the day within a month.
 */
export function inspectionEveryMs(alias: string): number {
  return Math.floor(
    shortestInspectionMs + fractionOf(alias) * (longestInspectionMs - shortestInspectionMs),
  );
}

/** The first one after enrolment; an event of a change comes before it. */
export function firstInspectionAfterMs(alias: string): number {
  return Math.floor(fractionOf(alias) * shortestInspectionMs);
}

/** FNV-1a: a number in [0, 1) that depends on every character. */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) / 2 ** 32;
}

/** From when on reads show every change that keyturn itself made. Each pass asks several times: it allocates nothing. */
export function settledAtMs(
  record: Pick<ManagedKey, "versions" | "rotations" | "authorizationChangedAtMs">,
): number {
  let lastMs = record.authorizationChangedAtMs;
  for (const version of record.versions) lastMs = Math.max(lastMs, lastOfVersion(version));
  for (const rotation of record.rotations) lastMs = Math.max(lastMs, lastOfRotation(rotation));
  return lastMs + consistencyMs;
}

function lastOfVersion({ activatedAtMs = 0, retiredAtMs = 0, disabledAtMs = 0 }: Version): number {
  return Math.max(activatedAtMs, retiredAtMs, disabledAtMs);
}

function lastOfRotation({ stepSinceMs, movedAtMs, restored, reactivation }: Rotation): number {
  let lastMs = stepSinceMs;
  for (const alias in movedAtMs) lastMs = Math.max(lastMs, movedAtMs[alias] ?? 0);
  return Math.max(
    lastMs,
    restored?.enabledAtMs ?? 0,
    restored?.cancelledAtMs ?? 0,
    reactivation?.enabledAtMs ?? 0,
    reactivation?.cancelledAtMs ?? 0,
    reactivation?.unlabelledAtMs ?? 0,
  );
}
