/**
 * Somebody tried to use a version that is out of use: CloudTrail says so, late, twice, or for ever. The
 * first time in an episode it is put on record, and the version comes back; after that nothing is new.
 */
import { clockSkewMs } from "../model/limits.ts";
import { rotationOut, versionOf, wayOut, withVersion, without } from "../model/record.ts";
import { entryOf } from "../safety/old-version.ts";
import type { Decision, ManagedKey, Rotation, Scene, UseAttempt, Version } from "../model/types.ts";

/**
 * "news": the version is to come back. "known": that was decided already. "none": the version is not
 * out of use by our doing, or the attempt is older than its present time out of use.
 */
export function concern(record: ManagedKey, attempt: UseAttempt): "news" | "known" | "none" {
  const version = record.versions.find(({ keyId }) => keyId === attempt.keyId);
  if (version === undefined) return "none";
  const rotation = rotationOut(record, version.number);
  if (rotation?.restored?.because === "attempt" || version.state === "reactivating") return "known";
  const unsure = record.reconciledAtMs !== undefined && version.state === "draining";
  if (!unsure && !isOutOfUse(version, rotation)) return "none";
  if (version.overriddenBy !== undefined) return "none";
  const sinceMs = rotation?.drainSinceMs ?? version.retiredAtMs ?? 0;
  return attempt.atMs + clockSkewMs < sinceMs ? "none" : "news";
}

/** By our doing: disabled or worse, or so soon as a call without an answer has landed. */
function isOutOfUse({ state }: Version, rotation: Rotation | undefined): boolean {
  if (state === "disabled" || state === "pending-deletion") return true;
  if (rotation?.restored !== undefined) return true;
  return state === "draining" && rotation?.unanswered === "DisableKey";
}

/** Undefined where nothing of it is new. */
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
    // Whoever scheduled it: the key is asked for, and a deletion is what cannot be undone.
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

/** As it stands once it is decided that a retired version comes back. */
export function restoringVersion(version: Version): Version {
  return without(
    { ...version, state: "draining" as const },
    "disabledAtMs",
    "deletionAtMs",
    "overriddenBy",
  );
}

/** Whether it can be pending deletion by our doing, now or as soon as a late call lands. */
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
  const context = names.length === 0 ? "" : `, encryption context of ${names.join(", ")}`;
  return `${operation} by ${principal}${via} on version ${version.number}, ${version.keyId}${context}; CloudTrail event ${eventId}`;
}
