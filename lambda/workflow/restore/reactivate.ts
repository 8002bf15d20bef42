/**
 * Reactivates a retired version: keyturn cancels its deletion, enables it, and removes the label,
 * in this order, since KMS neither tags nor untags a key that is pending deletion.
 */
import { showKey } from "../model/commands.ts";
import { finding } from "../model/findings.ts";
import { reconcileCommand } from "../model/request-command.ts";
import { consistencyMs } from "../model/limits.ts";
import { wrongLabel } from "../safety/lineage.ts";
import { ownerFinding } from "../safety/old-version.ts";
import { versionOf, withRotation, withVersion, without } from "../model/record.ts";
import { blockedUntilMs } from "../safety/settle.ts";
import { observeFirst, valueOf } from "../safety/observations.ts";
import { tagNames } from "../model/tag-names.ts";
import type {
  Call,
  Decision,
  ManagedKey,
  Rotation,
  StepScene,
  Transition,
  Version,
} from "../model/types.ts";

/** The next call or wait; undefined once the version was observed ready to be active again. */
export function notYetReactivated(scene: StepScene, target: Version): Decision | undefined {
  const { record, rotation, observed, context } = scene;
  const { keyId } = target;
  const first = observeFirst(scene, [
    { kind: "key", key: keyId },
    { kind: "tags", keyId },
  ]);
  if (first !== undefined) return first;
  const state = valueOf(observed.key[keyId])?.state;
  if (state === undefined) return deleted(scene, target);
  const foreign = ownerFinding(scene, target);
  if (foreign !== undefined) return { kind: "halt", finding: foreign };
  const older = wrongLabel(scene, target);
  if (older !== undefined) return older;
  const { cancelledAtMs, enabledAtMs, unlabelledAtMs } = rotation.reactivation ?? {};
  const call = (made: Call, doneAtMs: number | undefined, why: string): Decision =>
    doneAtMs !== undefined && context.nowMs < doneAtMs + consistencyMs
      ? { kind: "retry", reason: `reads do not show the ${made.kind} yet` }
      : {
          kind: "call",
          call: made,
          matter: { kind: "rotation", rotationId: rotation.id },
          reason: why,
        };
  const why = `version ${target.number} becomes active again`;
  if (state === "PendingDeletion") {
    return call({ kind: "CancelKeyDeletion", keyId }, cancelledAtMs, why);
  }
  // A read may show the version before its DisableKey: keyturn enables it once, despite the read.
  const isUnsure = state === "Enabled" && enabledAtMs === undefined;
  if (state === "Disabled" || isUnsure) {
    return call({ kind: "EnableKey", keyId }, enabledAtMs, why);
  }
  if (state !== "Enabled") {
    const observedNow = `version ${target.number}, ${keyId}, is ${state}`;
    const next = showKey(keyId);
    const what = finding("NEW_VERSION_NOT_ENABLED", keyId, observedNow, next, context.nowMs);
    return { kind: "halt", finding: what };
  }
  if (Object.hasOwn(valueOf(observed.tags[keyId]) ?? {}, tagNames.retired)) {
    const names = [tagNames.retired];
    return call({ kind: "UntagResource", keyId, names }, unlabelledAtMs, why);
  }
  if (target.label !== undefined && rotation.unanswered === "UntagResource") {
    return { kind: "change", ...reactivatedBy(record, rotation, "UntagResource", context.nowMs) };
  }
  const untilMs = blockedUntilMs(record.unsettled, context.epoch, context.uncertain, context.nowMs);
  if (untilMs === undefined) return undefined;
  return { kind: "wait", untilMs, reason: "an earlier call could still disable the version" };
}

/** The operator rolls back the rollback: then the active version stays active. */
function deleted({ record, context }: StepScene, { number, keyId }: Version): Decision {
  const next = reconcileCommand(record);
  const observations = `version ${number}, ${keyId}, the target of the rollback, is deleted`;
  return {
    kind: "halt",
    finding: finding("VERSION_DELETED", keyId, observations, next, context.nowMs),
  };
}

/** The record once KMS accepted one of the three calls; a later observation must confirm it. */
export function reactivatedBy(
  record: ManagedKey,
  rotation: Rotation,
  kind: "CancelKeyDeletion" | "EnableKey" | "UntagResource",
  nowMs: number,
): Transition {
  const target = versionOf(record, rotation.to);
  const done = {
    CancelKeyDeletion: { cancelledAtMs: nowMs },
    EnableKey: { enabledAtMs: nowMs },
    UntagResource: { unlabelledAtMs: nowMs },
  }[kind];
  const event = {
    CancelKeyDeletion: "deletion-cancelled",
    EnableKey: "re-enabled",
    UntagResource: "unlabelled",
  } as const;
  const version = kind === "UntagResource" ? without(target, "label") : target;
  const next = withRotation(withVersion(record, version), {
    ...without(rotation, "enabledSinceMs", "unanswered"),
    reactivation: { ...rotation.reactivation, ...done },
  });
  return {
    next: { ...next, authorizationChangedAtMs: nowMs },
    entry: {
      event: event[kind],
      reason: `version ${target.number} becomes active again`,
      rotationId: rotation.id,
      step: rotation.step,
      detail: { version: target.number, keyId: target.keyId },
    },
  };
}
