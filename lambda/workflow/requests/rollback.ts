/**
 * Rollback: the previous version becomes active again. Before any alias moved, this cancels the
 * rotation; afterwards it opens a rotation in the other direction. The version that was rolled back
 * drains like any other retired version: data that it encrypted stays readable.
 */
import { restoringVersion } from "../restore/use-attempt.ts";
import { isoOf } from "../model/iso.ts";
import { unsureOfLabel } from "../safety/label.ts";
import {
  rotationBeforeActivation,
  rotationOut,
  activeVersion,
  versionOf,
  wayOut,
  withRotationClosed,
  withVersion,
  without,
} from "../model/record.ts";
import type {
  EntryDraft,
  ManagedKey,
  Context,
  Rotation,
  Transition,
  Version,
} from "../model/types.ts";

type When = Pick<Context, "nowMs" | "newRotationId">;
export type RolledBack = Transition | { refused: string };

/** The record after a rollback of this version, which is active or about to be. */
export function rollBack(record: ManagedKey, number: number, when: When): RolledBack {
  const busy = rotationBeforeActivation(record);
  const active = activeVersion(record);
  if (busy?.to === number && active?.number !== number) {
    return isTouched(busy) ? reversed(record, busy, when) : cancelled(record, busy, when);
  }
  if (active?.number !== number) {
    return { refused: `version ${number} is neither active nor about to be` };
  }
  if (busy?.direction === "back") return { refused: "a rollback is already under way" };
  if (busy !== undefined && isTouched(busy)) {
    return { refused: `aliases are moving to version ${busy.to}: roll back that version first` };
  }
  const before = versionBefore(record, number);
  if (before === undefined) return { refused: `no version before ${number} exists` };
  const { deletionAtMs = Infinity } = before;
  if (when.nowMs >= deletionAtMs) {
    const date = isoOf(deletionAtMs);
    return {
      refused: `the deletion date of version ${before.number}, ${before.keyId}, has passed: ${date}`,
    };
  }
  const free = busy === undefined ? record : cancelled(record, busy, when).next;
  return back(free, active, before, when);
}

/** Whether an alias was moved, or may have been. */
function isTouched({ step, movedAtMs, unanswered }: Rotation): boolean {
  return step === "activate" && (Object.keys(movedAtMs).length > 0 || unanswered === "UpdateAlias");
}

/**
 * The last version that was active before this one and still exists. It may not have the next lower
 * number: a version that was itself rolled back does not qualify.
 */
function versionBefore(record: ManagedKey, number: number): Version | undefined {
  const still: Version["state"][] = ["draining", "retained", "disabled", "pending-deletion"];
  return record.versions
    .filter((one) => one.number < number && one.activatedAtMs !== undefined)
    .filter(({ state }) => still.includes(state))
    .sort((a, b) => a.number - b.number)
    .sort((a, b) => retiredAt(a) - retiredAt(b))
    .at(-1);
}

function retiredAt({ retiredAtMs = 0 }: Version): number {
  return retiredAtMs;
}

function back(record: ManagedKey, active: Version, before: Version, when: When): Transition {
  const out = rotationOut(record, before.number);
  const closed = out === undefined ? record : withRotationClosed(record, out);
  const reactivating = {
    ...unsureOfLabel(restoringVersion(before), out),
    state: "reactivating" as const,
  };
  const rotation: Rotation = {
    ...wayOut(record, active, before.number, when),
    id: when.newRotationId,
    direction: "back",
    step: "distribute",
    dependents: [],
  };
  return {
    next: {
      ...withVersion(closed, reactivating),
      rotations: [...closed.rotations, without(rotation, "drainSinceMs")],
    },
    entry: entry(rotation, "rolled-back", `version ${before.number} becomes active again`),
  };
}

/** The aliases are on both versions, and both are Enabled: all go back to the active one. */
function reversed(record: ManagedKey, busy: Rotation, when: When): Transition {
  const fresh = versionOf(record, busy.to);
  const closed = withRotationClosed(record, busy);
  const rotation: Rotation = {
    ...wayOut(record, fresh, busy.from, when),
    id: when.newRotationId,
    direction: "back",
    step: "activate",
    intent: { ...busy.intent, writtenAtMs: when.nowMs },
  };
  return {
    next: { ...closed, rotations: [...closed.rotations, without(rotation, "drainSinceMs")] },
    entry: entry(rotation, "rolled-back", "the aliases go back to the active version"),
  };
}

/** No alias pointed at the new version: if it has a key, it drains like any retired version. */
export function cancelled(record: ManagedKey, busy: Rotation, when: When): Transition {
  const reason = "rolled back before any alias moved";
  const cancelled = entry(busy, "cancelled", reason);
  if (busy.step === "generate" && busy.intent.unansweredEpoch !== undefined) {
    const rotations = record.rotations.map((one) =>
      one.id === busy.id ? { ...one, cancelledAtMs: when.nowMs } : one,
    );
    return { next: { ...record, rotations }, entry: cancelled };
  }
  const closed = withRotationClosed(record, busy);
  const made = record.versions.find(({ number }) => number === busy.to);
  if (made === undefined) return { next: closed, entry: cancelled };
  const out = wayOut(record, made, busy.from, when);
  // In a rollback the version may still be pending deletion or Disabled.
  const unsure =
    busy.direction === "back"
      ? { restored: { because: "use", cancel: true, relabelled: false } as const }
      : {};
  const retired: Version = {
    ...unsureOfLabel(made, busy),
    state: "draining",
    retiredAtMs: when.nowMs,
  };
  return {
    next: {
      ...withVersion(closed, retired),
      rotations: [...closed.rotations, { ...out, ...unsure }],
    },
    entry: cancelled,
  };
}

function entry(rotation: Rotation, event: EntryDraft["event"], reason: string): EntryDraft {
  return {
    event,
    reason,
    rotationId: rotation.id,
    step: rotation.step,
    detail: { from: rotation.from, to: rotation.to },
  };
}
