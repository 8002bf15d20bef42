/**
 * Step 3, activate: look, move, look again. UpdateAlias is unconditional and KMS accepts a Disabled
 * target, so each move rests on what was seen just before, and ends only when it is seen to hold.
 */
import { whyNotEnabledYet } from "./2-distribute.ts";
import { aliasMoved } from "./alias-target.ts";
import { consistencyMs } from "./limits.ts";
import { versionOf, withRotation, withVersion } from "./record.ts";
import { lookFirst, valueOf } from "./sights.ts";
import type {
  Decision,
  Look,
  ManagedKey,
  Rotation,
  StepScene,
  Transition,
  Version,
} from "./types.ts";

export function decideActivate(scene: StepScene): Decision {
  const { record, rotation, old, seen, moment } = scene;
  const fresh = versionOf(record, rotation.to);
  const notReady = whyNotEnabledYet(scene, fresh);
  if (notReady !== undefined) return notReady;
  const looks: Look[] = rotation.intent.aliases.map((alias) => ({ kind: "key", key: alias }));
  const first = lookFirst(scene, looks);
  if (first !== undefined) return first;

  const toMove: string[] = [];
  for (const alias of rotation.intent.aliases) {
    const key = valueOf(seen.key[alias]);
    if (key?.keyId === fresh.keyId) continue;
    if (key?.keyId !== old.keyId) return aliasMoved(alias, key, fresh.keyId, moment);
    const movedAtMs = rotation.movedAtMs[alias];
    if (movedAtMs === undefined) toMove.push(alias);
    else if (moment.nowMs < movedAtMs + consistencyMs) {
      return { kind: "retry", reason: `${alias} was moved, and reads do not show it yet` };
    } else return aliasMoved(alias, key, fresh.keyId, moment);
  }
  const [alias] = toMove;
  if (alias === undefined) return activated(scene, fresh);
  return {
    kind: "call",
    call: { kind: "UpdateAlias", alias, keyId: fresh.keyId },
    matter: { kind: "rotation", rotationId: rotation.id },
    reason: `${alias} is on version ${old.number}, and version ${fresh.number} is Enabled`,
  };
}

/** The record once UpdateAlias was answered; whether the alias is there is still to be seen. */
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

function activated({ record, rotation, old, moment }: StepScene, fresh: Version): Decision {
  const { nowMs } = moment;
  const serving = withVersion(record, { ...fresh, standing: "serving", activatedAtMs: nowMs });
  const draining = withVersion(serving, { ...old, standing: "draining", retiredAtMs: nowMs });
  return {
    kind: "change",
    next: withRotation(draining, {
      ...rotation,
      step: "drain",
      stepSinceMs: nowMs,
      drainSinceMs: nowMs,
    }),
    entry: {
      event: "activated",
      reason: "every alias is seen on the new version",
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
