/**
 * Step 3, activate: observe, move, observe again. UpdateAlias is unconditional and KMS accepts a
 * Disabled target. So each move follows a fresh observation, and a later one must confirm it.
 */
import { whyNotEnabledYet } from "./2-distribute.ts";
import { aliasMoved } from "./safety/alias-target.ts";
import { consistencyMs } from "./model/limits.ts";
import { wrongLabel } from "./safety/lineage.ts";
import { ownerFinding } from "./safety/old-version.ts";
import {
  activeVersion,
  firstMoveAtMs,
  versionOf,
  without,
  withRotation,
  withVersion,
} from "./model/record.ts";
import { blockedUntilMs } from "./safety/settle.ts";
import { observeFirst, valueOf } from "./safety/observations.ts";
import type {
  Decision,
  KmsRead,
  ManagedKey,
  Rotation,
  StepScene,
  Transition,
  Version,
} from "./model/types.ts";

export function decideActivate(scene: StepScene): Decision {
  const { record, rotation, old, observed, context } = scene;
  const fresh = versionOf(record, rotation.to);
  const notReady = whyNotEnabledYet(scene, fresh);
  if (notReady !== undefined) return notReady;
  const aliases = rotation.intent.aliases.map((alias): KmsRead => ({ kind: "key", key: alias }));
  const first = observeFirst(scene, aliases);
  if (first !== undefined) return first;
  const landed = movedAlready(scene, fresh);
  if (landed !== undefined) return landed;

  // The old version of a reversed rotation never was active.
  const active = activeVersion(record) ?? old;
  const toMove: string[] = [];
  for (const alias of rotation.intent.aliases) {
    const key = valueOf(observed.key[alias]);
    if (key?.keyId === fresh.keyId) continue;
    const movedAtMs = rotation.movedAtMs[alias];
    const belongsOn = movedAtMs === undefined ? active : fresh;
    if (key?.keyId !== old.keyId) return aliasMoved(scene, alias, belongsOn);
    if (movedAtMs === undefined) toMove.push(alias);
    else if (context.nowMs < movedAtMs + consistencyMs) {
      return { kind: "retry", reason: `${alias} was moved, and reads do not show it yet` };
    } else return aliasMoved(scene, alias, fresh);
  }
  const [alias] = toMove;
  if (alias === undefined) return stillMoving(scene) ?? activated(scene, fresh);
  return move(scene, fresh, alias);
}

/**
 * The observation is final once no earlier call can move an alias; and, for an alias that this
 * rotation did not have to move back, once reads show the moves of the reversed rotation.
 */
function stillMoving({ record, rotation, context }: StepScene): Decision | undefined {
  const { epoch, uncertain, nowMs } = context;
  const untilMs = blockedUntilMs(record.unsettled, epoch, uncertain, nowMs);
  if (untilMs !== undefined) {
    return { kind: "wait", untilMs, reason: "an earlier call could still move an alias" };
  }
  const { direction, intent, movedAtMs, openedAtMs } = rotation;
  const shownAtMs = openedAtMs + consistencyMs;
  const isMoved = intent.aliases.every((alias) => Object.hasOwn(movedAtMs, alias));
  if (direction === "forward" || isMoved || nowMs >= shownAtMs) return undefined;
  return {
    kind: "wait",
    untilMs: shownAtMs,
    reason: "reads may not show the last moves yet",
  };
}

/** Requires that no other deployment owns either version, and that the new one is not retired. */
function move(scene: StepScene, fresh: Version, alias: string): Decision {
  const { rotation, old } = scene;
  const owners = [fresh, old].map(({ keyId }): KmsRead => ({ kind: "tags", keyId }));
  const first = observeFirst(scene, owners);
  if (first !== undefined) return first;
  const wrong = ownerFinding(scene, fresh) ?? ownerFinding(scene, old);
  if (wrong !== undefined) return { kind: "halt", finding: wrong };
  const mislabelled = wrongLabel(scene, fresh);
  if (mislabelled !== undefined) return mislabelled;
  return {
    kind: "call",
    call: { kind: "UpdateAlias", alias, keyId: fresh.keyId },
    matter: { kind: "rotation", rotationId: rotation.id },
    reason: `${alias} is on version ${old.number}, and version ${fresh.number} is Enabled`,
  };
}

/**
 * An alias that is on the new version although the record has no move of it. The cause is our call
 * without an answer, which moved one alias; or an external actor; or a later state of this table.
 * In the last two cases only an operator knows whether the dependents were ready: the alias must go
 * back, and keyturn moves it later.
 */
function movedAlready(scene: StepScene, fresh: Version): Decision | undefined {
  const { record, rotation, old, observed, context } = scene;
  if (rotation.direction === "back") return undefined;
  const [alias, ...others] = rotation.intent.aliases.filter(
    (name) =>
      valueOf(observed.key[name])?.keyId === fresh.keyId &&
      !Object.hasOwn(rotation.movedAtMs, name),
  );
  if (alias === undefined) return undefined;
  if (rotation.unanswered === "UpdateAlias" && others.length === 0) {
    const answered = without(rotation, "unanswered");
    return { kind: "change", ...aliasWasMoved(record, answered, alias, context.nowMs) };
  }
  const more = observeFirst(scene, [{ kind: "tags", keyId: old.keyId }]);
  if (more !== undefined) return more;
  // A run after the backup that moved the alias also labelled the version that it left.
  return wrongLabel(scene, old) ?? aliasMoved(scene, alias, old);
}

/** The record once KMS accepted UpdateAlias; a later observation must confirm the move. */
export function aliasWasMoved(
  record: ManagedKey,
  rotation: Rotation,
  alias: string,
  nowMs: number,
): Transition {
  const movedAtMs = { ...rotation.movedAtMs, [alias]: nowMs };
  return {
    next: withRotation(record, { ...rotation, movedAtMs }),
    entry: {
      event: "moved",
      reason: "KMS accepted the move of the alias",
      rotationId: rotation.id,
      step: "activate",
      detail: { alias, version: rotation.to, keyId: versionOf(record, rotation.to).keyId },
    },
  };
}

function activated({ record, rotation, old, context }: StepScene, fresh: Version): Decision {
  const { nowMs } = context;
  const forward = rotation.direction === "forward";
  // The cryptoperiod of a reactivated version still counts from its first activation.
  const activatedAtMs = forward ? nowMs : (fresh.activatedAtMs ?? fresh.createdAtMs);
  // It was observed without a label when no earlier call could land.
  const movedAtMs = firstMoveAtMs(rotation);
  const isKnown = movedAtMs < Infinity;
  const nowActive: Version = {
    ...without(fresh, "retiredAtMs", "firstAliasLeftAtMs", "label"),
    state: "active",
    activatedAtMs,
    ...(forward && isKnown ? { firstAliasAtMs: movedAtMs } : {}),
  };
  const active = withVersion(record, nowActive);
  const draining = withVersion(active, {
    ...old,
    state: "draining",
    retiredAtMs: nowMs,
    ...(isKnown ? { firstAliasLeftAtMs: movedAtMs } : {}),
  });
  return {
    kind: "change",
    next: withRotation(draining, {
      ...rotation,
      step: "drain",
      stepSinceMs: nowMs,
      drainSinceMs: nowMs,
    }),
    entry: {
      event: forward ? "activated" : "reactivated",
      reason: "all aliases moved",
      rotationId: rotation.id,
      step: "activate",
      detail: {
        version: fresh.number,
        keyId: fresh.keyId,
        aliases: rotation.intent.aliases.join(),
      },
    },
  };
}
