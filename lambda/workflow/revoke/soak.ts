/** After DisableKey: the reads for aliases, and the soak, which restores a key that is needed. */
import { waitNames } from "../model/wait-names.ts";
import { notQuiet } from "./quiet.ts";
import { approvalRequired } from "../requests/approval.ts";
import { isApproved, openNeeds } from "../safety/needs.ts";
import { retiredAs } from "../safety/public-keys.ts";
import { scheduled } from "./deletion.ts";
import {
  callOn,
  everythingOf,
  evidenceOf,
  evidenceRead,
  guardrail,
  lapsed,
} from "../safety/destruction.ts";
import { describeLastUse, usedSince } from "../safety/evidence.ts";
import { needed } from "../restore/restore.ts";
import { consistencyMs, lastUseLagMs } from "../model/limits.ts";
import { wrongLabel } from "../safety/lineage.ts";
import { neededOrDrifted, waitObserving } from "../drift/drift.ts";
import { aliasesOn, entryOf, ownerFinding } from "../safety/old-version.ts";
import { withRotation, withRotationClosed } from "../model/record.ts";
import { observeFirst, valueOf } from "../safety/observations.ts";
import type { Call, Decision, Evidence, LastUse, StepScene } from "../model/types.ts";
import { notCollected } from "./collected.ts";
import { heldSince } from "./held.ts";
import { reportedOfStack } from "./stack-owned.ts";
import { notWatched } from "./watched.ts";

/** An external UpdateAlias may coincide with DisableKey: reads at once, and once reads are consistent. */
export function observeAliases(scene: StepScene): Decision {
  const { record, rotation, old, context } = scene;
  const first = observeFirst(scene, [{ kind: "aliases", keyId: old.keyId }]);
  if (first !== undefined) return first;
  const onIt = aliasesOn(scene);
  if (onIt !== undefined) return needed(scene, "alias", onIt.observed);
  const againAtMs = (old.disabledAtMs ?? context.nowMs) + consistencyMs;
  if (context.nowMs < againAtMs) {
    return { kind: "wait", untilMs: againAtMs, reason: "a second check for aliases" };
  }
  return {
    kind: "change",
    next: withRotation(record, { ...rotation, soakSinceMs: context.nowMs }),
    entry: entryOf(scene, "soaking", "a second read shows no alias on it"),
  };
}

export function soak(scene: StepScene): Decision {
  const { rotation, old, context } = scene;
  if (rotation.lateUseReadAtMs === undefined) return readLateUse(scene);
  const landed = deletionLanded(scene);
  if (landed !== undefined) return landed;
  // After a deletion that was cancelled: until then a read may still show it.
  const shownAtMs = rotation.stepSinceMs + consistencyMs;
  if (context.nowMs < shownAtMs) {
    return {
      kind: "wait",
      untilMs: shownAtMs,
      reason: "reads may not show the cancelled deletion yet",
    };
  }
  const endsMs = (rotation.soakSinceMs ?? context.nowMs) + rotation.policy.soakMs;
  if (context.nowMs < endsMs) {
    const held = rotation.unanswered === undefined ? heldSince(scene) : undefined;
    return held ?? waitObserving(scene, "Disabled", endsMs, waitNames.soak);
  }
  const first = observeFirst(scene, everythingOf(old.keyId));
  if (first !== undefined) return first;
  const drift = neededOrDrifted(scene, "Disabled");
  if (drift !== undefined) return drift;
  const foreign = ownerFinding(scene, old);
  if (foreign !== undefined) return { kind: "halt", finding: foreign };
  const mislabelled = wrongLabel(scene, old);
  if (mislabelled !== undefined) return mislabelled;
  const onIt = aliasesOn(scene);
  if (onIt !== undefined) return needed(scene, "alias", onIt.observed);
  const evidence = evidenceOf(scene);
  const { lastUse } = evidence;
  const still = stillNeeded(scene, evidence) ?? heldSince(scene);
  if (still !== undefined) return still;
  const { policy, approval } = rotation;
  // Overridden evidence does not justify a deletion.
  if (retiredAs(policy, old) !== "delete" || approval?.override === true) return completed(scene);
  const blocked = notQuiet(scene, evidence) ?? guardrail(scene, old, lastUse);
  if (blocked !== undefined) return lapsed(scene) ?? blocked;
  const windowDays = rotation.policy.deletionWindowDays;
  const call: Call = { kind: "ScheduleKeyDeletion", keyId: old.keyId, windowDays };
  const newEvidence = evidenceRead(scene, lastUse);
  if (newEvidence !== undefined) return newEvidence;
  const early = notWatched(scene) ?? notCollected(scene) ?? reportedOfStack(scene, "delete");
  if (early !== undefined) return early;
  // Under every policy: an operator approves what cannot be undone.
  const isAccepted = openNeeds(scene, old, rotation, "delete").length === 0;
  if (!isAccepted || !isApproved(rotation, evidence, "delete")) {
    return approvalRequired(scene, evidence, "delete");
  }
  return callOn(rotation, call, "no use attempt in the soak");
}

/** Whether a ScheduleKeyDeletion without an answer took effect: whatever the soak still lasts. */
function deletionLanded(scene: StepScene): Decision | undefined {
  const { record, rotation, old, observed, context } = scene;
  if (rotation.unanswered !== "ScheduleKeyDeletion") return undefined;
  const first = observeFirst(scene, [{ kind: "key", key: old.keyId }]);
  if (first !== undefined) return first;
  const key = valueOf(observed.key[old.keyId]);
  if (key?.state !== "PendingDeletion") return undefined;
  return { kind: "change", ...scheduled(record, rotation, key.deletionAtMs, context.nowMs) };
}

/** The evidence lags: it shows the last uses before DisableKey only now, even in a short soak. */
function readLateUse(scene: StepScene): Decision {
  const { record, rotation, old, context } = scene;
  const reportedAtMs = (old.disabledAtMs ?? context.nowMs) + lastUseLagMs + consistencyMs;
  if (context.nowMs < reportedAtMs) {
    return {
      kind: "wait",
      untilMs: reportedAtMs,
      reason: "evidence of the hour before DisableKey",
    };
  }
  const first = observeFirst(scene, [{ kind: "last-use", keyId: old.keyId }]);
  if (first !== undefined) return first;
  const still = stillNeeded(scene, evidenceOf(scene));
  if (still !== undefined) return still;
  return {
    kind: "change",
    next: withRotation(record, { ...rotation, lateUseReadAtMs: context.nowMs }),
    entry: entryOf(scene, "unused", "it was not used in the hour before it was disabled"),
  };
}

/** A use that evidence shows late restores the version; unknown is not unused where required. */
export function stillNeeded(scene: StepScene, evidence: Evidence): Decision | undefined {
  const { rotation } = scene;
  const { lastUse } = evidence;
  if (rotation.approval?.override === true) return undefined;
  if (usedSince(rotation.evidence, lastUse)) return needed(scene, "use", inUse(lastUse));
  return lastUse.kind === "unknown" ? notQuiet(scene, evidence) : undefined;
}

function inUse(lastUse: LastUse): string {
  return `in use until it was disabled: ${describeLastUse(lastUse)}`;
}

function completed(scene: StepScene): Decision {
  const { record, rotation } = scene;
  const evidence = evidenceOf(scene);
  return {
    kind: "change",
    next: withRotationClosed(record, { ...rotation, evidence }),
    entry: entryOf(scene, "completed", "the policy leaves old versions disabled"),
  };
}
