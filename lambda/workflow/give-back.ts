/**
 * A version that turned out to be needed. That it is to come back is on record first, and why; then
 * it is enabled, however often that takes; and it drains anew once no earlier call can spoil it.
 */
import { callOn } from "./destruction.ts";
import { consistencyMs } from "./limits.ts";
import { aliasesInTheWay, entryOf, ownerFinding, stateFinding } from "./old-version.ts";
import { versionOf, without, withRotation, withVersion } from "./record.ts";
import { blockedUntilMs } from "./settle.ts";
import { lookFirst, valueOf } from "./sights.ts";
import type { Decision, ManagedKey, Restored, Rotation, StepScene, Transition } from "./types.ts";

/** Back into drain, to be enabled there. */
export function needed(
  { record, rotation, old, moment }: Pick<StepScene, "record" | "rotation" | "old" | "moment">,
  because: Restored["because"],
  reason: string,
): Decision {
  const draining = without({ ...old, standing: "draining" as const }, "disabledAtMs");
  const back: Rotation = {
    ...rotation,
    step: "drain",
    stepSinceMs: moment.nowMs,
    restored: { because },
  };
  return {
    kind: "change",
    next: withRotation(withVersion(record, draining), back),
    entry: entryOf({ rotation, old }, "needed", reason),
  };
}

/** The record once KMS accepted to enable the version again; whether it is, is still to be seen. */
export function enabledAgain(
  record: ManagedKey,
  rotation: Rotation,
  reason: string,
  nowMs: number,
): Transition {
  const old = versionOf(record, rotation.from);
  const because = rotation.restored?.because ?? "use";
  const restored: Restored = { because, enabledAtMs: nowMs };
  return {
    next: withRotation(record, { ...without(rotation, "unanswered"), restored }),
    entry: entryOf({ rotation, old }, "enabled-again", reason),
  };
}

/** An earlier call could still disable it: it is looked at until nothing can land any longer. */
export function decideRestored(scene: StepScene, restored: Restored): Decision {
  const { record, rotation, old, seen, moment } = scene;
  const first = lookFirst(scene, [
    { kind: "key", key: old.keyId },
    { kind: "tags", keyId: old.keyId },
    { kind: "aliases", keyId: old.keyId },
  ]);
  if (first !== undefined) return first;
  const foreign = ownerFinding(scene, old);
  if (foreign !== undefined) return { kind: "halt", finding: foreign };
  if (valueOf(seen.key[old.keyId])?.state === "Disabled") {
    const { enabledAtMs } = restored;
    if (enabledAtMs !== undefined && moment.nowMs < enabledAtMs + consistencyMs) {
      return { kind: "retry", reason: "it was enabled again, and reads do not show it yet" };
    }
    const why = `version ${old.number} turned out to be needed, and reads Disabled`;
    return callOn(rotation, { kind: "EnableKey", keyId: old.keyId }, why);
  }
  const wrong = stateFinding(scene, ["Enabled"]) ?? aliasesInTheWay(scene);
  if (wrong !== undefined) return { kind: "halt", finding: wrong };
  const untilMs = blockedUntilMs(record.unsettled, moment.epoch, true, moment.nowMs);
  if (untilMs !== undefined) {
    return { kind: "wait", untilMs, reason: "an earlier call could still disable it" };
  }
  return drainAnew(scene, restored);
}

function drainAnew(
  { record, rotation, old, moment: { nowMs } }: StepScene,
  { because }: Restored,
): Decision {
  const anew = without(
    rotation,
    "restored",
    "evidence",
    "soakSinceMs",
    "lateUseReadAtMs",
    "unanswered",
  );
  // While an alias was on it, it originated by right: what it did until now is not held against it.
  const draining =
    because === "alias" ? withVersion(record, { ...old, retiredAtMs: nowMs }) : record;
  return {
    kind: "change",
    next: withRotation(draining, { ...anew, stepSinceMs: nowMs, drainSinceMs: nowMs }),
    entry: {
      event: "drain-restarted",
      reason: "the version reads Enabled, no alias is on it, and nothing can land any longer",
      rotationId: rotation.id,
      step: "drain",
      detail: { version: old.number, keyId: old.keyId },
    },
  };
}
