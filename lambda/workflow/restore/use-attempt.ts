/**
 * An attempt to use a version that is out of use. CloudTrail may report it late, twice, or
 * endlessly. The first report in an episode goes on record and restores the version; later ones
 * change nothing.
 */
import { clockSkewMs } from "../model/limits.ts";
import { rotationOut, versionOf, wayOut, withVersion, without } from "../model/record.ts";
import { entryOf } from "../safety/old-version.ts";
import type { Decision, ManagedKey, Rotation, Scene, UseAttempt, Version } from "../model/types.ts";

/**
 * "news": keyturn must restore the version. "known": a restore is already decided. "none": keyturn
 * did not put the version out of use, or did so after the attempt. CloudTrail's times are whole seconds of another
 * clock: in doubt the attempt came after.
 */
export function concern(record: ManagedKey, attempt: UseAttempt): "news" | "known" | "none" {
  const version = record.versions.find(({ keyId }) => keyId === attempt.keyId);
  if (version === undefined) return "none";
  const rotation = rotationOut(record, version.number);
  if (rotation?.restored?.because === "attempt" || version.state === "reactivating") return "known";
  const unsure = record.reconciledAtMs !== undefined && version.state === "draining";
  if (!unsure && !isOutOfUse(version, rotation)) return "none";
  if (version.overriddenBy !== undefined) return "none";
  const drainSinceMs = rotation?.drainSinceMs ?? version.retiredAtMs ?? 0;
  const sinceMs = Math.max(drainSinceMs, version.disablingAtMs ?? 0);
  return attempt.atMs + clockSkewMs < sinceMs ? "none" : "news";
}

/** Whether keyturn put it out of use, or an unanswered call may do so. */
function isOutOfUse({ state }: Version, rotation: Rotation | undefined): boolean {
  if (state === "disabled" || state === "pending-deletion") return true;
  if (rotation?.restored !== undefined) return true;
  return state === "draining" && rotation?.unanswered === "DisableKey";
}

/** Undefined where the attempt is not news. */
export function decideAttempt(scene: Scene, attempt: UseAttempt): Decision | undefined {
  const { record, context } = scene;
  if (concern(record, attempt) !== "news") return undefined;
  const version = record.versions.find(({ keyId }) => keyId === attempt.keyId);
  if (version === undefined) return undefined;
  const active = record.versions.find(({ state }) => state === "active");
  const open = rotationOut(record, version.number);
  const rotation = open ?? wayOut(record, version, active?.number ?? version.number, context);
  const observed = describe(version, attempt);
  const back: Rotation = {
    ...rotation,
    step: "drain",
    stepSinceMs: context.nowMs,
    // Any deletion is cancelled, also an external actor's: it cannot be undone.
    restored: { because: "attempt", cancel: true, relabelled: false },
  };
  const others = record.rotations.filter(({ id }) => id !== rotation.id);
  const { nowMs: atMs } = context;
  const hold = {
    kind: "restored",
    atMs,
    by: attempt.principal,
    version: version.number,
    reason: observed,
  } as const;
  const next = withVersion(record, restoringVersion(version));
  return {
    kind: "change",
    next: { ...next, rotations: [...others, back], holds: [...record.holds, hold] },
    entry: entryOf(
      { rotation, old: versionOf(record, version.number) },
      "restore-started",
      observed,
      {
        eventId: attempt.eventId,
        principal: attempt.principal,
        operation: attempt.operation,
      },
    ),
  };
}

/** A retired version once its restore is decided. */
export function restoringVersion(version: Version): Version {
  return without(
    { ...version, state: "draining" as const },
    "disabledAtMs",
    "deletionAtMs",
    "overriddenBy",
  );
}

/** Whether a call of ours made it pending deletion, or still may. */
export function mayBePending({ state }: Version, rotation: Rotation): boolean {
  return (
    state === "pending-deletion" ||
    rotation.unanswered === "ScheduleKeyDeletion" ||
    rotation.restored?.cancel === true
  );
}

function describe(version: Version, attempt: UseAttempt): string {
  const { principal, service, operation, encryptionContextKeys: names, eventId } = attempt;
  const via = service === undefined ? "" : ` via ${service}`;
  const context = names.length === 0 ? "" : `, encryption context keys ${names.join(", ")}`;
  return `${operation} by ${principal}${via} on version ${version.number}, ${version.keyId}${context}; CloudTrail event ${eventId}`;
}
