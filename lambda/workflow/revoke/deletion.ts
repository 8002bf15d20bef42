/** The end of revoke under a policy that deletes: the date, the window, and the deleted key. */
import { waitNames } from "../model/wait-names.ts";
import { neededOrDrifted, waitObserving } from "../drift/drift.ts";
import { consistencyMs, dayMs, recheckMs } from "../model/limits.ts";
import { callOn } from "../safety/destruction.ts";
import { openRefusals } from "../safety/needs.ts";
import { entryOf, ownerFinding } from "../safety/old-version.ts";
import { reportUnheard } from "./collected.ts";
import { heldSince } from "./held.ts";
import {
  versionOf,
  without,
  withRotation,
  withRotationClosed,
  withVersion,
} from "../model/record.ts";
import { observeFirst, valueOf } from "../safety/observations.ts";
import { readsOfRefusals } from "../safety/refusals.ts";
import type { Decision, ManagedKey, Rotation, StepScene, Transition } from "../model/types.ts";

/** The record once KMS has a date for the deletion. */
export function scheduled(
  record: ManagedKey,
  rotation: Rotation,
  deletionAtMs: number | undefined,
  nowMs: number,
): Transition {
  const old = versionOf(record, rotation.from);
  const at = deletionAtMs ?? nowMs + rotation.policy.deletionWindowDays * dayMs;
  const next = withVersion(record, { ...old, state: "pending-deletion", deletionAtMs: at });
  return {
    next: withRotation(next, { ...without(rotation, "unanswered"), stepSinceMs: nowMs }),
    entry: entryOf({ rotation, old }, "deletion-scheduled", "an operator approved it", {
      deletionAtMs: at,
    }),
  };
}

/** Why a scheduled deletion must not happen. */
function whyCancel(scene: StepScene): string | undefined {
  const { rotation, old } = scene;
  const { evidence, approval, unanswered } = rotation;
  // Without evidence on record another table, or somebody else, scheduled it, and an operator confirmed the record.
  const isOurs = evidence !== undefined;
  // Version 0.1.0 scheduled deletions without an approval.
  const isApproved = approval?.of === "delete" && !approval.override;
  if (isOurs && !isApproved) return "no operator approved the deletion";
  const [need] = openRefusals(scene, old, rotation);
  if (need !== undefined) return `refused after the approval: ${need.id}, ${need.state}`;
  return unanswered === "CancelKeyDeletion" ? "keyturn had to cancel it" : undefined;
}

/** A deletion that must not happen is cancelled, and the version stays disabled until an operator approves. */
function cancelled(scene: StepScene): Decision | undefined {
  const { record, rotation, old, observed, context } = scene;
  // Its call is a restore, which other reads do not hold up.
  const reads = readsOfRefusals(scene);
  if (reads.length > 0) return { kind: "observe", reads };
  const reason = whyCancel(scene);
  if (reason === undefined) return undefined;
  const { keyId } = old;
  const first = observeFirst(scene, [{ kind: "tags", keyId }]);
  if (first !== undefined) return first;
  const foreign = ownerFinding(scene, old);
  if (foreign !== undefined) return { kind: "halt", finding: foreign };
  const state = valueOf(observed.key[keyId])?.state;
  // Also after a second CancelKeyDeletion, which KMS refuses because the first one landed late.
  if (state === "Disabled") {
    return { kind: "change", ...deletionCancelled(record, rotation, reason, context.nowMs) };
  }
  if (state !== "PendingDeletion") return undefined;
  return callOn(rotation, { kind: "CancelKeyDeletion", keyId }, reason);
}

/**
 * The record once a deletion is cancelled: the soak begins anew, and with it a new approval is due. Without evidence
 * on record no soak can judge it: the version stays disabled, as `reconcile` leaves every disabled version.
 */
export function deletionCancelled(
  record: ManagedKey,
  rotation: Rotation,
  reason: string,
  nowMs: number,
): Transition {
  const old = versionOf(record, rotation.from);
  const disabled = without({ ...old, state: "disabled" as const }, "deletionAtMs");
  const entry = entryOf({ rotation, old }, "deletion-cancelled", reason);
  if (rotation.evidence === undefined) {
    const disabledAtMs = old.disabledAtMs ?? nowMs;
    const kept = withVersion(record, { ...disabled, disabledAtMs });
    const closed = withRotationClosed(kept, without(rotation, "unanswered"));
    // Reads may still show it pending deletion.
    return { next: { ...closed, authorizationChangedAtMs: nowMs }, entry };
  }
  const next = {
    ...without(rotation, "unanswered", "approval"),
    stepSinceMs: nowMs,
    soakSinceMs: nowMs,
  };
  return { next: withRotation(withVersion(record, disabled), next), entry };
}

/** KMS's clock decides: a key that KMS deleted before our date also completes the rotation. */
export function awaitDeletion(scene: StepScene): Decision {
  const { record, rotation, old, observed, context } = scene;
  const { nowMs } = context;
  const deletedAtMs = old.deletionAtMs ?? nowMs;
  const reason = waitNames.deletion;
  // Just after ScheduleKeyDeletion a read may still show the key Disabled, as after a cancelled deletion.
  const shownAtMs = rotation.stepSinceMs + consistencyMs;
  if (nowMs < deletedAtMs && nowMs < shownAtMs) {
    const untilMs = whyCancel(scene) === undefined ? deletedAtMs : shownAtMs;
    return { kind: "wait", untilMs, reason };
  }
  const first = observeFirst(scene, [{ kind: "key", key: old.keyId }]);
  if (first !== undefined) return first;
  const key = valueOf(observed.key[old.keyId]);
  if (key === undefined) {
    const versions = record.versions.filter(({ number }) => number !== old.number);
    return {
      kind: "change",
      next: withRotationClosed({ ...record, versions }, rotation),
      entry: entryOf(scene, "completed", "deleted by KMS"),
    };
  }
  const stopped = cancelled(scene) ?? heldSince(scene);
  if (stopped !== undefined) return stopped;
  // No call without an answer explains that it is enabled.
  const isChecked = nowMs >= deletedAtMs || key.state === "Enabled";
  const changed = isChecked ? neededOrDrifted(scene, "PendingDeletion") : undefined;
  if (changed !== undefined) return changed;
  if (nowMs < deletedAtMs) {
    const wait = waitObserving(scene, "PendingDeletion", deletedAtMs, reason);
    return reportUnheard(scene, wait);
  }
  const untilMs = Math.max(key.deletionAtMs ?? 0, nowMs + recheckMs);
  return { kind: "wait", untilMs, reason: "KMS may delete the key up to a day late" };
}
