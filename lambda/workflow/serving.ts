/** The version that serves: is it where it should be, and is it time for the next one? */
import { aliasMoved, aliasTarget } from "./safety/alias-target.ts";
import { copyableTags, whyNotCarried } from "./enrolment/carry-over.ts";
import { whyAliasOnlyUnfit, whyNotEnabled } from "./enrolment/enrol.ts";
import { wrongLabel } from "./safety/lineage.ts";
import { ownerFinding } from "./safety/old-version.ts";
import { decideOutOfUse } from "./restore/out-of-use.ts";
import {
  rightfulKeyIds,
  rotationBeforeActivation,
  servingVersion,
  without,
} from "./model/record.ts";
import { shapeOf } from "./model/shape.ts";
import { lookFirst, valueOf } from "./safety/sights.ts";
import { isStopped } from "./safety/holds.ts";
import { tagNames } from "./model/tag-names.ts";
import type {
  Decision,
  Key,
  KeyPolicy,
  ManagedKey,
  Rotation,
  Scene,
  Tags,
  Version,
} from "./model/types.ts";

/** When the next rotation opens. */
export function rotationOpensAtMs(record: ManagedKey, serving: Version): number {
  return overdueAtMs(record, serving) - record.policy.leadMs;
}

/** The end of the cryptoperiod of the version that serves. */
export function overdueAtMs(record: Pick<ManagedKey, "policy">, serving: Version): number {
  return (serving.activatedAtMs ?? serving.createdAtMs) + record.policy.cryptoperiodMs;
}

export function decideServing(scene: Scene): Decision {
  const { record, seen, moment } = scene;
  const serving = servingVersion(record);
  if (serving === undefined) throw new Error(`${record.alias}: no version serves`);
  const opensAtMs = rotationOpensAtMs(record, serving);
  const busy = rotationBeforeActivation(record);
  const held = isStopped(record, "rollback");
  const due =
    busy === undefined && !held && (moment.nowMs >= opensAtMs || record.wanted !== undefined);
  const suspected = record.suspectedAtMs !== undefined;
  if (!due && !suspected) {
    const untilMs = busy === undefined && !held ? opensAtMs : Number.MAX_SAFE_INTEGER;
    return { kind: "wait", untilMs, reason: "the version that serves is within its cryptoperiod" };
  }
  const givingBack = suspected ? decideOutOfUse(scene) : undefined;
  if (givingBack !== undefined) return givingBack;
  const owner = lookFirst(scene, [{ kind: "tags", keyId: serving.keyId }]);
  if (owner !== undefined) return owner;
  const foreign = ownerFinding(scene, serving);
  if (foreign !== undefined) return { kind: "halt", finding: foreign };
  const target = aliasTarget(scene);
  const rightful = rightfulKeyIds(record);
  const astray = record.aliases.find((alias) => {
    const key = valueOf(seen.key[alias]);
    return key !== undefined && !rightful.includes(key.keyId);
  });
  if (target.kind === "not" && target.decision.kind !== "halt") return target.decision;
  if (astray !== undefined) {
    // An alias that a run after a backup had moved leaves a label on the version it left.
    return wrongLabel(scene, serving) ?? aliasMoved(scene, astray, serving);
  }
  // While a rotation moves the aliases one by one, they may be on either version.
  if (busy !== undefined) return cleared(record);
  if (target.kind === "not") return target.decision;
  const notEnabled = whyNotEnabled(scene, target.key);
  if (notEnabled !== undefined) return notEnabled;
  return suspected ? cleared(record) : open(scene, target.key, serving);
}

function cleared(record: ManagedKey): Decision {
  return {
    kind: "change",
    next: without(record, "suspectedAtMs"),
    entry: {
      event: "cleared",
      reason: "the aliases are where the record has them",
      detail: {},
    },
  };
}

function open(scene: Scene, key: Key, serving: Version): Decision {
  const { record, seen, moment } = scene;
  const first = lookFirst(scene, [
    { kind: "policy", keyId: key.keyId },
    { kind: "tags", keyId: key.keyId },
    { kind: "aliases", keyId: key.keyId },
  ]);
  if (first !== undefined) return first;
  const policy = valueOf(seen.policy[key.keyId]);
  const tags = valueOf(seen.tags[key.keyId]);
  const aliases = valueOf(seen.aliases[key.keyId]);
  if (policy === undefined || tags === undefined || aliases === undefined) {
    return { kind: "retry", reason: `${key.keyId} is there and not there: reads have not settled` };
  }
  const problem = whyNotCarried(key, policy, tags, moment.nowMs);
  if (problem !== undefined) return { kind: "halt", finding: problem };
  const unfit = whyAliasOnlyUnfit(scene, key.keyId);
  if (unfit !== undefined) return unfit;
  const rotation = opened(scene, key, serving, policy, tags);
  const unlistedAliases = aliases.filter((alias) => !record.aliases.includes(alias));
  return {
    kind: "change",
    next: {
      ...without(record, "wanted"),
      unlistedAliases,
      rotations: [...record.rotations, rotation],
    },
    entry: {
      event: "opened",
      reason:
        record.wanted === undefined
          ? "the cryptoperiod of the version that serves is coming to its end"
          : `asked for by ${record.wanted.by}`,
      rotationId: rotation.id,
      step: "generate",
      detail: {
        from: rotation.from,
        to: rotation.to,
        overdueAtMs: overdueAtMs(record, serving),
        spec: rotation.intent.shape.spec,
        usage: rotation.intent.shape.usage,
        policyHash: policy.hash,
      },
    },
  };
}

function opened(
  { record, moment }: Scene,
  key: Key,
  serving: Version,
  policy: KeyPolicy,
  tags: Tags,
): Rotation {
  const to = Math.max(record.lastNumber, serving.number) + 1;
  return {
    id: moment.newRotationId,
    from: serving.number,
    to,
    direction: "forward",
    step: "generate",
    openedAtMs: moment.nowMs,
    stepSinceMs: moment.nowMs,
    policy: record.policy,
    movedAtMs: {},
    grantsCopied: [],
    dependents: record.dependents,
    acknowledgedAtMs: {},
    episode: 1,
    ...(record.wanted?.urgent === true ? { urgent: true } : {}),
    intent: {
      aliases: record.aliases,
      shape: shapeOf(key),
      policyHash: policy.hash,
      tags: {
        ...copyableTags(tags),
        [tagNames.owner]: record.owner,
        [tagNames.alias]: record.alias,
        [tagNames.rotation]: moment.newRotationId,
        [tagNames.version]: String(to),
        [tagNames.policy]: record.policy.name,
      },
      description: key.description,
      writtenAtMs: moment.nowMs,
      attempts: 0,
      misses: 0,
    },
  };
}
