/** The active version: do the aliases point at it, and is the next rotation due? */
import { aliasMoved, aliasTarget } from "./safety/alias-target.ts";
import { grantsToCopy, whyGrantsNotCarried } from "./enrolment/carried-grants.ts";
import { readsOfAutoRotation, withAutoRotation } from "./enrolment/auto-rotation.ts";
import { copyableTags, whyNotCarried } from "./enrolment/carry-over.ts";
import { whyAliasOnlyUnfit } from "./enrolment/enrol.ts";
import { wrongLabel } from "./safety/lineage.ts";
import { lossFirst, ownerFinding, versionStateFinding } from "./safety/old-version.ts";
import { rotationBeforeActivation, activeVersion, withVersion, without } from "./model/record.ts";
import { shapeOf } from "./model/shape.ts";
import { observeFirst, stillToObserve, valueOf } from "./safety/observations.ts";
import { dependentRequired } from "./requests/acknowledgement.ts";
import { accountsOfPolicy } from "./safety/other-accounts.ts";
import { archive, failsSilently } from "./safety/public-keys.ts";
import { isHeld } from "./safety/holds.ts";
import { tagNames } from "./model/tag-names.ts";
import type {
  Decision,
  Key,
  KeyPolicy,
  KmsRead,
  ManagedKey,
  Rotation,
  Scene,
  Tags,
  Version,
} from "./model/types.ts";

/** When the next rotation opens. */
export function rotationOpensAtMs(record: ManagedKey, active: Version): number {
  return overdueAtMs(record, active) - record.policy.leadMs;
}

/** The end of the active version's cryptoperiod. */
export function overdueAtMs(record: Pick<ManagedKey, "policy">, active: Version): number {
  return (active.activatedAtMs ?? active.createdAtMs) + record.policy.cryptoperiodMs;
}

export function decideActiveVersion(scene: Scene): Decision {
  const { record, observed, context } = scene;
  const active = activeVersion(record);
  if (active === undefined) throw new Error(`${record.alias}: no version is active`);
  const archived = archive(scene, active);
  if (archived !== undefined) return archived;
  const opensAtMs = rotationOpensAtMs(record, active);
  const busy = rotationBeforeActivation(record);
  const held = isHeld(record, "rollback");
  const isDue = context.nowMs >= opensAtMs || record.wanted !== undefined;
  if (busy !== undefined || held || !isDue) {
    const untilMs = busy === undefined && !held ? opensAtMs : Number.MAX_SAFE_INTEGER;
    return { kind: "wait", untilMs, reason: "within cryptoperiod" };
  }
  const first = observeFirst(scene, [
    { kind: "key", key: active.keyId },
    { kind: "tags", keyId: active.keyId },
  ]);
  const lost = first ?? lossFirst(scene, active);
  if (lost !== undefined) return lost;
  const wrong = versionStateFinding(scene, active, "Enabled") ?? ownerFinding(scene, active);
  if (wrong !== undefined) return { kind: "halt", finding: wrong };
  const target = aliasTarget(scene);
  const astray = record.aliases.find((alias) => {
    const key = valueOf(observed.key[alias]);
    return key !== undefined && key.keyId !== active.keyId;
  });
  if (target.kind === "not" && target.decision.kind !== "halt") return target.decision;
  if (astray !== undefined) {
    // A run after the backup that moved the alias also labelled the version that it left.
    return wrongLabel(scene, active) ?? aliasMoved(scene, astray, active);
  }
  return target.kind === "not" ? target.decision : open(scene, target.key, active);
}

function open(scene: Scene, key: Key, active: Version): Decision {
  const { record, observed, context } = scene;
  if (failsSilently(active.shape) && record.dependents.length === 0) {
    return dependentRequired(record, active, context.nowMs);
  }
  const reads: KmsRead[] = [
    { kind: "policy", keyId: key.keyId },
    { kind: "tags", keyId: key.keyId },
    { kind: "aliases", keyId: key.keyId },
    { kind: "grants", keyId: key.keyId },
  ];
  const all = [...reads, ...readsOfAutoRotation(key)];
  const first = stillToObserve(observed, all) ?? observeFirst(scene, reads);
  if (first !== undefined) return first;
  const policy = valueOf(observed.policy[key.keyId]);
  const tags = valueOf(observed.tags[key.keyId]);
  const aliases = valueOf(observed.aliases[key.keyId]);
  if (policy === undefined || tags === undefined || aliases === undefined) {
    return { kind: "retry", reason: `reads of ${key.keyId} are not consistent yet` };
  }
  const grants = grantsToCopy(valueOf(observed.grants[key.keyId]) ?? []);
  const problem =
    whyNotCarried(key, policy, tags, context.nowMs) ??
    whyGrantsNotCarried(key.keyId, grants, context.nowMs);
  if (problem !== undefined) return { kind: "halt", finding: problem };
  const unfit = whyAliasOnlyUnfit(scene, key.keyId);
  if (unfit !== undefined) return unfit;
  const rotation = opened(scene, key, active, policy, tags);
  const unlistedAliases = aliases.filter((alias) => !record.aliases.includes(alias));
  const reported = withVersion(record, withAutoRotation(active, observed));
  return {
    kind: "change",
    next: {
      ...without(reported, "wanted"),
      unlistedAliases,
      rotations: [...record.rotations, rotation],
    },
    entry: {
      event: "opened",
      reason: whyOpened(record, active, context.nowMs),
      rotationId: rotation.id,
      step: "generate",
      detail: {
        from: rotation.from,
        to: rotation.to,
        overdueAtMs: overdueAtMs(record, active),
        spec: rotation.intent.shape.spec,
        usage: rotation.intent.shape.usage,
        policyHash: policy.hash,
      },
    },
  };
}

function whyOpened(record: ManagedKey, active: Version, nowMs: number): string {
  if (record.wanted !== undefined) return `requested by ${record.wanted.by}`;
  return nowMs < overdueAtMs(record, active) ? "cryptoperiod ends soon" : "cryptoperiod ended";
}

function opened(
  { record, context }: Scene,
  key: Key,
  active: Version,
  policy: KeyPolicy,
  tags: Tags,
): Rotation {
  const to = Math.max(record.lastNumber, active.number) + 1;
  const sharedWith = accountsOfPolicy(policy.document, key.arn);
  return {
    id: context.newRotationId,
    from: active.number,
    to,
    direction: "forward",
    step: "generate",
    openedAtMs: context.nowMs,
    stepSinceMs: context.nowMs,
    policy: record.policy,
    ...(sharedWith.length === 0 ? {} : { sharedWith }),
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
        [tagNames.rotation]: context.newRotationId,
        [tagNames.version]: String(to),
        [tagNames.policy]: record.policy.name,
      },
      description: key.description,
      writtenAtMs: context.nowMs,
      attempts: 0,
      misses: 0,
    },
  };
}
