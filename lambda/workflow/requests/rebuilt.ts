/** Rebuilds the record from KMS's tags, aliases and key states. */
import { aliasTarget } from "../safety/alias-target.ts";
import { longestRunMs } from "../model/limits.ts";
import { isOurs, numberOf } from "../safety/lineage.ts";
import { wayOut } from "../model/record.ts";
import { marked, unsettledUntilMs } from "../safety/settle.ts";
import { shapeOf } from "../model/shape.ts";
import { valueOf } from "../safety/observations.ts";
import { tagNames } from "../model/tag-names.ts";
import type {
  Key,
  KeyState,
  ManagedKey,
  Scene,
  VersionState,
  Tags,
  Version,
} from "../model/types.ts";

type Found = { key: Key; tags: Tags; number: number };
export type Rebuilt = { next: ManagedKey; lines: string[] };

/** No claim ever had it: it represents all runs that the restored record does not contain. */
const forgottenEpoch = 0;

export function rebuild(scene: Scene): Rebuilt | { why: string } {
  const { context } = scene;
  const aliases = context.home?.aliases ?? scene.record.aliases;
  const record: ManagedKey = {
    ...scene.record,
    aliases,
    policy: context.home?.policy ?? scene.record.policy,
  };
  // The versions on record are in doubt.
  const target = aliasTarget({ ...scene, record: { ...record, versions: [] } });
  if (target.kind !== "target") {
    const { decision } = target;
    return {
      why: decision.kind === "halt" ? decision.finding.observed : "the aliases cannot be read",
    };
  }
  const hidden = Object.entries({ ...scene.observed.key, ...scene.observed.tags }).find(
    ([, observation]) => observation.kind === "denied",
  );
  if (hidden !== undefined) return { why: `KMS denies reading ${hidden[0]}` };
  const { key } = target;
  if (key.state !== "Enabled")
    return { why: `${record.alias} points at ${key.keyId}, which is ${key.state}` };
  const found = chosen(scene, key.keyId);
  const active = found.find((one) => one.key.keyId === key.keyId);
  if (active === undefined) {
    return {
      why: `${record.alias} points at ${key.keyId}, which is not tagged as a version of it`,
    };
  }
  return rebuiltFrom(scene, record, found, active);
}

/** One key for each number: the active one, otherwise the one on record, otherwise the oldest. */
function chosen({ record, observed }: Scene, activeKeyId: string): Found[] {
  const all = Object.keys(observed.tags).flatMap((keyId): Found[] => {
    const key = valueOf(observed.key[keyId]);
    const tags = valueOf(observed.tags[keyId]);
    if (key === undefined || tags === undefined || !isOurs(record, tags)) return [];
    return numberOf(tags) === 0 ? [] : [{ key, tags, number: numberOf(tags) }];
  });
  const known = record.versions.map(({ keyId }) => keyId);
  const rank = ({ key }: Found): number =>
    key.keyId === activeKeyId ? 0 : known.includes(key.keyId) ? 1 : 2;
  const sorted = all.sort(
    (a, b) =>
      [a.number - b.number, rank(a) - rank(b), a.key.createdAtMs - b.key.createdAtMs].find(
        (difference) => difference !== 0,
      ) ?? (a.key.keyId < b.key.keyId ? -1 : 1),
  );
  return sorted.filter((one, index) => sorted[index - 1]?.number !== one.number);
}

function rebuiltFrom(
  { record: before, context }: Scene,
  record: ManagedKey,
  found: Found[],
  active: Found,
): Rebuilt {
  const versions = found.map((one): Version => {
    const known = before.versions.find(({ keyId }) => keyId === one.key.keyId);
    return versionFrom(one, one === active, known, context.nowMs);
  });
  const rotations = versions
    .filter(({ state }) => state === "draining" || state === "pending-deletion")
    .map((version) => {
      const out = wayOut(record, version, active.number, context);
      const labelled = version.label === undefined ? {} : { labelledAtMs: context.nowMs };
      const step = version.state === "draining" ? ("drain" as const) : ("revoke" as const);
      return { ...out, ...labelled, step };
    });
  const untilMs = unsettledUntilMs(context.nowMs + longestRunMs);
  const next: ManagedKey = {
    ...record,
    versions,
    rotations,
    closed: [...record.closed, ...record.rotations],
    extras: [],
    enrolledAtMs: record.enrolledAtMs ?? context.nowMs,
    lastNumber: Math.max(record.lastNumber, ...versions.map(({ number }) => number)),
    unsettled: marked(record.unsettled, { epoch: forgottenEpoch, untilMs }, context.nowMs),
    unlistedAliases: [],
    tableId: context.tableId,
  };
  return { next, lines: [...linesOf(versions), ...deleted(before, versions)] };
}

const stateByKeyState: Record<KeyState, VersionState> = {
  Enabled: "draining",
  Disabled: "disabled",
  PendingDeletion: "pending-deletion",
  Creating: "draining",
  PendingImport: "draining",
  PendingReplicaDeletion: "pending-deletion",
  Unavailable: "draining",
  Updating: "draining",
};

function versionFrom(
  { key, tags, number }: Found,
  isActive: boolean,
  known: Version | undefined,
  nowMs: number,
): Version {
  const label = tags[tagNames.retired];
  const state = isActive ? "active" : stateByKeyState[key.state];
  return {
    number,
    keyId: key.keyId,
    arn: key.arn,
    shape: shapeOf(key),
    state,
    createdAtMs: key.createdAtMs,
    activatedAtMs: known?.activatedAtMs ?? key.createdAtMs,
    ...(isActive ? {} : { retiredAtMs: known?.retiredAtMs ?? nowMs }),
    ...(state === "disabled" ? { disabledAtMs: nowMs } : {}),
    ...(key.deletionAtMs === undefined ? {} : { deletionAtMs: key.deletionAtMs }),
    ...(label === undefined ? {} : { label }),
    ...(known?.aliasOnly === undefined ? {} : { aliasOnly: known.aliasOnly }),
    ...(known?.policyHash === undefined ? {} : { policyHash: known.policyHash }),
    ...(known?.policyChangedTo === undefined ? {} : { policyChangedTo: known.policyChangedTo }),
    ...(known?.publicKey === undefined ? {} : { publicKey: known.publicKey }),
  };
}

export function linesOf(versions: Version[]): string[] {
  return versions.map(lineOf);
}

function lineOf({ number, keyId, state, label }: Version): string {
  const does: Record<VersionState, string> = {
    active: "is active",
    draining: "drains anew",
    disabled: "stays disabled",
    "pending-deletion": "is pending deletion",
    "pending-activation": "",
    retained: "",
    reactivating: "",
  };
  return `version ${number}, ${keyId}, ${does[state]}${label === undefined ? "" : ", labelled retired"}`;
}

function deleted(before: ManagedKey, versions: Version[]): string[] {
  return before.versions
    .filter(({ keyId }) => versions.every((version) => version.keyId !== keyId))
    .map(
      ({ number, keyId }) =>
        `version ${number}, ${keyId}, is no longer counted: KMS shows no such version`,
    );
}
