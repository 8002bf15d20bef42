/**
 * Restores a version that is needed. The restore and its reason are on record first. Then keyturn
 * enables the version, as often as necessary. Once no earlier call can disable it, it drains again.
 */
import { restoringVersion, mayBePending } from "./use-attempt.ts";
import { callOn } from "../safety/destruction.ts";
import { consistencyMs, recheckMs } from "../model/limits.ts";
import { labelAs } from "../safety/label.ts";
import { wrongLabel } from "../safety/lineage.ts";
import { aliasInTheWay, entryOf, ownerFinding, stateFinding } from "../safety/old-version.ts";
import { versionOf, without, withRotation, withVersion } from "../model/record.ts";
import { blockedUntilMs } from "../safety/settle.ts";
import { observeFirst, valueOf } from "../safety/observations.ts";
import { isHeld } from "../safety/holds.ts";
import type {
  Decision,
  ManagedKey,
  Restored,
  Rotation,
  StepScene,
  Transition,
} from "../model/types.ts";

/** Returns the version to the drain step, which enables it. */
export function needed(
  { record, rotation, old, context }: Pick<StepScene, "record" | "rotation" | "old" | "context">,
  because: Restored["because"],
  reason: string,
): Decision {
  const cancel = mayBePending(old, rotation);
  const back: Rotation = {
    ...rotation,
    step: "drain",
    stepSinceMs: context.nowMs,
    restored: { because, cancel, relabelled: false },
  };
  return {
    kind: "change",
    next: withRotation(withVersion(record, restoringVersion(old)), back),
    entry: entryOf({ rotation, old }, "restore-started", reason),
  };
}

/** The record once KMS accepted a restore call; a later observation must confirm it. */
export function restoredBy(
  record: ManagedKey,
  rotation: Rotation,
  kind: "CancelKeyDeletion" | "EnableKey",
  reason: string,
  nowMs: number,
): Transition {
  const old = versionOf(record, rotation.from);
  if (rotation.restored === undefined) throw new Error(`${rotation.id} restores nothing`);
  const enabling = kind === "EnableKey";
  const done = enabling ? { enabledAtMs: nowMs } : { cancelledAtMs: nowMs };
  const event = enabling ? "re-enabled" : "deletion-cancelled";
  const restored = { ...rotation.restored, ...done };
  return {
    next: withRotation(record, { ...without(rotation, "unanswered"), restored }),
    entry: entryOf({ rotation, old }, event, reason),
  };
}

/** An earlier call could still disable it: keyturn observes it until no call can land. */
export function decideRestored(scene: StepScene, restored: Restored): Decision {
  const { record, rotation, old, observed, context } = scene;
  const first = observeFirst(scene, [
    { kind: "key", key: old.keyId },
    { kind: "tags", keyId: old.keyId },
    { kind: "aliases", keyId: old.keyId },
  ]);
  if (first !== undefined) return first;
  const isDeleted = valueOf(observed.key[old.keyId]) === undefined;
  const foreign = isDeleted ? stateFinding(scene, "Enabled") : ownerFinding(scene, old);
  if (foreign !== undefined) return { kind: "halt", finding: foreign };
  // A record older than KMS enables nothing by itself, only after a use attempt.
  const older = isAskedFor(scene) ? undefined : wrongLabel(scene, old);
  if (older !== undefined) return older;
  const call = callToRestore(scene, restored);
  if (call !== undefined) return call;
  const asked = restored.because === "attempt";
  const wrong = stateFinding(scene, "Enabled");
  if (wrong !== undefined) return { kind: "halt", finding: wrong };
  const aliased = asked ? undefined : aliasInTheWay(scene);
  if (aliased !== undefined) return aliased;
  const { epoch, uncertain, nowMs } = context;
  const untilMs = blockedUntilMs(record.unsettled, epoch, uncertain, nowMs);
  if (untilMs !== undefined) {
    return { kind: "wait", untilMs, reason: "an earlier call could still disable the version" };
  }
  if (!restored.relabelled && rotation.labelledAtMs !== undefined) {
    return labelAs(scene, rotation.episode + 1, "the new label records the restore");
  }
  if (asked && isHeld(record, "restored")) {
    const reason = "an operator must resume after the use attempt";
    return { kind: "wait", untilMs: nowMs + recheckMs, reason };
  }
  return drainAnew(scene, restored);
}

function isAskedFor({ old, context }: StepScene): boolean {
  return context.attempt?.keyId === old.keyId;
}

/**
 * Reads lag, and may show the version before its DisableKey: keyturn enables it once, despite the
 * read. A deletion that an external actor scheduled is theirs to cancel.
 */
function callToRestore(
  { rotation, old, observed, context }: StepScene,
  { cancel, cancelledAtMs, enabledAtMs, relabelled }: Restored,
): Decision | undefined {
  // By then no call of ours can land: an external actor disabled it on purpose.
  if (relabelled) return undefined;
  const { keyId, number } = old;
  const state = valueOf(observed.key[keyId])?.state;
  const recent = (atMs: number | undefined): boolean =>
    atMs !== undefined && context.nowMs < atMs + consistencyMs;
  const why = `version ${number} is needed; KMS shows it as ${state}`;
  const again = "reads do not show the restore yet";
  if (state === "PendingDeletion" && cancel) {
    if (!recent(cancelledAtMs)) return callOn(rotation, { kind: "CancelKeyDeletion", keyId }, why);
    // After the accepted CancelKeyDeletion the key is Disabled: this read is old.
    if (!recent(enabledAtMs)) return callOn(rotation, { kind: "EnableKey", keyId }, why);
    return { kind: "retry", reason: again };
  }
  const unseen = enabledAtMs === undefined && state === "Enabled";
  if (state !== "Disabled" && !unseen) return undefined;
  if (recent(enabledAtMs)) return { kind: "retry", reason: again };
  return callOn(rotation, { kind: "EnableKey", keyId }, why);
}

function drainAnew(
  { record, rotation, old, context: { nowMs } }: StepScene,
  { because }: Restored,
): Decision {
  const anew = without(
    rotation,
    "restored",
    "evidence",
    "approval",
    "soakSinceMs",
    "lateUseReadAtMs",
    "unanswered",
  );
  // With an alias on it, originating was legitimate: uses until now do not count as violations.
  const leftNow = { ...without(old, "firstAliasLeftAtMs"), retiredAtMs: nowMs };
  const draining = because === "alias" ? withVersion(record, leftNow) : record;
  return {
    kind: "change",
    next: withRotation(draining, { ...anew, stepSinceMs: nowMs, drainSinceMs: nowMs }),
    entry: {
      event: "drain-restarted",
      reason: "the version is Enabled and has no alias, and no earlier call can take effect",
      rotationId: rotation.id,
      step: "drain",
      detail: { version: old.number, keyId: old.keyId },
    },
  };
}
