/** What an inspection finds at one version. */
import { decideOutOfUse } from "../restore/out-of-use.ts";
import { aliasMoved, keyFirst, moveTo } from "../safety/alias-target.ts";
import { wrongLabel } from "../safety/lineage.ts";
import { lossFirst, ownerFinding, versionStateFinding } from "../safety/old-version.ts";
import { identifyingTags, tagCommand } from "../safety/version-tags.ts";
import { finding, type Finding } from "../model/findings.ts";
import { recheckMs } from "../model/limits.ts";
import { activeVersion, rightfulKeyIds, rotationOut } from "../model/record.ts";
import { observationOf, observeFirst, valueOf } from "../safety/observations.ts";
import type { Decision, KeyState, ManagedKey, Scene, Version } from "../model/types.ts";

const outOfUse: Version["state"][] = ["disabled", "pending-deletion"];

type Waiting = Extract<Decision, { kind: "wait" }>;

export function inspectVersion(scene: Scene, version: Version): Decision[] {
  const { observed, context } = scene;
  const { keyId } = version;
  const own = (one: Decision): Decision => aside(version, one, context.nowMs);
  const denied = observeFirst(scene, [
    { kind: "key", key: keyId },
    { kind: "aliases", keyId },
  ]);
  if (denied !== undefined) return [own(denied)];
  const unread = observeFirst(scene, [{ kind: "policy", keyId }]);
  const policy = unread?.kind === "halt" ? [alone(unread.finding, context.nowMs)] : [];
  const restoring = outOfUse.includes(version.state) ? decideOutOfUse(scene, version) : undefined;
  if (restoring?.kind === "observe") return [restoring];
  // KMS refused it in this pass. A halt of the managed key may delay it: what is wrong stays reported.
  const first = restoring === undefined ? [] : [context.parked.active ?? own(restoring)];
  const expected = expectedOf(scene.record, version, context.nowMs);
  if (expected === undefined) {
    return [...first, ...policy, ...whileUnderWay(scene, version).map(own)];
  }
  const lost = lossFirst(scene, version);
  if (lost !== undefined) return [lost];
  const wrong = versionStateFinding(scene, version, expected);
  const state: Decision[] = wrong === undefined ? [] : [{ kind: "halt", finding: wrong }];
  if (valueOf(observed.key[keyId]) === undefined) return state.map(own);
  return [
    ...first,
    ...policy,
    ...state.map(own),
    ...tagsOf(scene, version).map(own),
    ...aliasesOf(scene, version),
  ];
}

/** A restored version waits for an operator, perhaps for weeks: a deletion, and its tags, count. */
function whileUnderWay(scene: Scene, version: Version): Decision[] {
  const { restored, unanswered } = rotationOut(scene.record, version.number) ?? {};
  if (restored === undefined || unanswered !== undefined) return [];
  const isPending = valueOf(scene.observed.key[version.keyId])?.state === "PendingDeletion";
  const wrong = isPending ? versionStateFinding(scene, version, "Enabled") : undefined;
  return [
    ...(wrong === undefined ? [] : [{ kind: "halt", finding: wrong } as const]),
    ...(restored.relabelled ? tagsOf(scene, version) : []),
  ];
}

/**
 * The state that the record has; undefined where a call under way, or KMS at the date of a deletion, may have changed
 * it, and where a step itself waits for it.
 */
export function expectedOf(
  record: ManagedKey,
  { number, state, deletionAtMs = Infinity }: Version,
  nowMs: number,
): KeyState | undefined {
  const rotation = rotationOut(record, number);
  if (rotation?.unanswered !== undefined || rotation?.restored !== undefined) return undefined;
  const coming = record.rotations.find(({ to }) => to === number);
  switch (state) {
    case "active":
    case "draining":
    case "retained":
      return "Enabled";
    case "disabled":
      return "Disabled";
    case "pending-deletion":
      return nowMs < deletionAtMs ? "PendingDeletion" : undefined;
    case "pending-activation":
      return coming?.step === "distribute" || coming?.step === "activate" ? "Enabled" : undefined;
    case "reactivating":
      return undefined;
  }
}

/** What concerns an old version alone waits for an operator by itself: the next rotation goes on. */
export function aside({ state }: Version, decision: Decision, nowMs: number): Decision {
  if (decision.kind !== "halt" || state === "active") return decision;
  return decision.finding.code === "STATE_BEHIND_KMS" ? decision : alone(decision.finding, nowMs);
}

export function alone(what: Finding, nowMs: number): Waiting {
  return {
    kind: "wait",
    untilMs: nowMs + recheckMs,
    reason: `halted: ${what.code}`,
    finding: what,
  };
}

function tagsOf(scene: Scene, version: Version): Decision[] {
  const { observed, context } = scene;
  const { number, keyId } = version;
  const read = { kind: "tags", keyId } as const;
  // The daily inspection reads them only where the search shows others. KMS changes no tag of a key pending deletion.
  if (observationOf(observed, read) === undefined || version.state === "pending-deletion")
    return [];
  const denied = observeFirst(scene, [read]);
  if (denied !== undefined) return [denied];
  const foreign = ownerFinding(scene, version);
  if (foreign !== undefined) return [{ kind: "halt", finding: foreign }];
  const label = wrongLabel(scene, version);
  const tags = valueOf(observed.tags[keyId]) ?? {};
  const wanted = identifyingTags(scene.record, version);
  const lost = Object.keys(wanted).filter((name) => tags[name] !== wanted[name]);
  if (lost.length === 0) return label === undefined ? [] : [label];
  const observations = `version ${number}, ${keyId}, lacks ${lost.join(" and ")}`;
  const next = tagCommand(keyId, wanted);
  const what = finding("ACCESS_TAG_GONE", keyId, observations, next, context.nowMs);
  return [alone(what, context.nowMs), ...(label === undefined ? [] : [label])];
}

function aliasesOf(scene: Scene, version: Version): Decision[] {
  const { record, observed, context } = scene;
  const { keyId, state, number } = version;
  const active = activeVersion(record);
  if (active === undefined) return [];
  if (state === "active") return movedAway(scene, version);
  if (state !== "draining" && state !== "retained") return [];
  const others = (valueOf(observed.aliases[keyId]) ?? []).filter(
    (alias) => ![...record.aliases, ...record.unlistedAliases].includes(alias),
  );
  const [first] = others;
  if (first === undefined) return [];
  const isDraining = state === "draining";
  const observations = `version ${number}, ${keyId}, is retired, and has ${others.join(" and ")}`;
  const code = isDraining ? "ALIAS_ON_OLD_VERSION" : "UNLISTED_ALIAS";
  const next = moveTo(scene, active, others);
  const subject = isDraining ? keyId : first;
  return [alone(finding(code, subject, observations, next, context.nowMs), context.nowMs)];
}

/** While a rotation moves the aliases one by one, they may be on either version. */
function movedAway(scene: Scene, active: Version): Decision[] {
  const { record, observed } = scene;
  const rightful = rightfulKeyIds(record);
  const there = rightful.flatMap((keyId) => valueOf(observed.aliases[keyId]) ?? []);
  const astray = record.aliases.filter((alias) => !there.includes(alias));
  return astray.flatMap((alias) => {
    const first = keyFirst(scene, alias);
    if (first !== undefined) return [first];
    // KMS shows a moved alias in the list and by its name at different times.
    const target = valueOf(observed.key[alias]);
    if (target !== undefined && rightful.includes(target.keyId)) return [];
    return [aliasMoved(scene, alias, active)];
  });
}
