/** The record as KMS's tags, aliases and key states have it. */
import { aliasTarget } from "../safety/alias-target.ts";
import { longestRunMs } from "../model/limits.ts";
import { isOurs, numberOf } from "../safety/lineage.ts";
import { wayOut } from "../model/record.ts";
import { marked, unsettledUntilMs } from "../safety/settle.ts";
import { shapeOf } from "../model/shape.ts";
import { valueOf } from "../safety/sights.ts";
import { tagNames } from "../model/tag-names.ts";
import type { Key, KeyState, ManagedKey, Scene, Standing, Tags, Version } from "../model/types.ts";

type Found = { key: Key; tags: Tags; number: number };
export type Rebuilt = { next: ManagedKey; lines: string[] };

/** No claim ever had it: it stands for all the runs that the restored record knows nothing of. */
const forgottenEpoch = 0;

export function rebuild(scene: Scene): Rebuilt | { why: string } {
  const { moment } = scene;
  const aliases = moment.home?.aliases ?? scene.record.aliases;
  const record: ManagedKey = {
    ...scene.record,
    aliases,
    policy: moment.home?.policy ?? scene.record.policy,
  };
  // What the record says of the versions is what is in doubt.
  const target = aliasTarget({ ...scene, record: { ...record, versions: [] } });
  if (target.kind !== "target") {
    const { decision } = target;
    return { why: decision.kind === "halt" ? decision.finding.seen : "the aliases cannot be seen" };
  }
  const hidden = Object.entries({ ...scene.seen.key, ...scene.seen.tags }).find(
    ([, sight]) => sight.kind === "denied",
  );
  if (hidden !== undefined) return { why: `${hidden[0]} may not be looked at` };
  const { key } = target;
  if (key.state !== "Enabled")
    return { why: `${record.alias} points at ${key.keyId}, ${key.state}` };
  const found = chosen(scene, key.keyId);
  const serving = found.find((one) => one.key.keyId === key.keyId);
  if (serving === undefined) {
    return {
      why: `${record.alias} points at ${key.keyId}, which is not tagged as a version of it`,
    };
  }
  return rebuiltFrom(scene, record, found, serving);
}

/** One key for each number: the one that serves, else the one on record, else the oldest. */
function chosen({ record, seen }: Scene, servingKeyId: string): Found[] {
  const all = Object.keys(seen.tags).flatMap((keyId): Found[] => {
    const key = valueOf(seen.key[keyId]);
    const tags = valueOf(seen.tags[keyId]);
    if (key === undefined || tags === undefined || !isOurs(record, tags)) return [];
    return numberOf(tags) === 0 ? [] : [{ key, tags, number: numberOf(tags) }];
  });
  const known = record.versions.map(({ keyId }) => keyId);
  const rank = ({ key }: Found): number =>
    key.keyId === servingKeyId ? 0 : known.includes(key.keyId) ? 1 : 2;
  const sorted = all.sort(
    (a, b) =>
      [a.number - b.number, rank(a) - rank(b), a.key.createdAtMs - b.key.createdAtMs].find(
        (difference) => difference !== 0,
      ) ?? (a.key.keyId < b.key.keyId ? -1 : 1),
  );
  return sorted.filter((one, index) => sorted[index - 1]?.number !== one.number);
}

function rebuiltFrom(
  { record: before, moment }: Scene,
  record: ManagedKey,
  found: Found[],
  serving: Found,
): Rebuilt {
  const versions = found.map((one): Version => {
    const known = before.versions.find(({ keyId }) => keyId === one.key.keyId);
    return versionFrom(one, one === serving, known, moment.nowMs);
  });
  const rotations = versions
    .filter(({ standing }) => standing === "draining" || standing === "deletion-scheduled")
    .map((version) => {
      const out = wayOut(record, version, serving.number, moment);
      const labelled = version.label === undefined ? {} : { labelledAtMs: moment.nowMs };
      const step = version.standing === "draining" ? ("drain" as const) : ("revoke" as const);
      return { ...out, ...labelled, step };
    });
  const untilMs = unsettledUntilMs(moment.nowMs + longestRunMs);
  const next: ManagedKey = {
    ...record,
    versions,
    rotations,
    closed: [...record.closed, ...record.rotations],
    extras: [],
    enrolledAtMs: record.enrolledAtMs ?? moment.nowMs,
    lastNumber: Math.max(record.lastNumber, ...versions.map(({ number }) => number)),
    unsettled: marked(record.unsettled, { epoch: forgottenEpoch, untilMs }, moment.nowMs),
    unlistedAliases: [],
    tableId: moment.tableId,
  };
  return { next, lines: [...linesOf(versions), ...gone(before, versions)] };
}

const standings: Record<KeyState, Standing> = {
  Enabled: "draining",
  Disabled: "disabled",
  PendingDeletion: "deletion-scheduled",
  Creating: "draining",
  PendingImport: "draining",
  PendingReplicaDeletion: "deletion-scheduled",
  Unavailable: "draining",
  Updating: "draining",
};

function versionFrom(
  { key, tags, number }: Found,
  serves: boolean,
  known: Version | undefined,
  nowMs: number,
): Version {
  const label = tags[tagNames.retired];
  const standing = serves ? "serving" : standings[key.state];
  return {
    number,
    keyId: key.keyId,
    arn: key.arn,
    shape: shapeOf(key),
    standing,
    createdAtMs: key.createdAtMs,
    activatedAtMs: known?.activatedAtMs ?? key.createdAtMs,
    ...(serves ? {} : { retiredAtMs: known?.retiredAtMs ?? nowMs }),
    ...(standing === "disabled" ? { disabledAtMs: nowMs } : {}),
    ...(key.deletionAtMs === undefined ? {} : { deletionAtMs: key.deletionAtMs }),
    ...(label === undefined ? {} : { label }),
    ...(known?.aliasOnly === undefined ? {} : { aliasOnly: known.aliasOnly }),
  };
}

export function linesOf(versions: Version[]): string[] {
  return versions.map(lineOf);
}

function lineOf({ number, keyId, standing, label }: Version): string {
  const does: Record<Standing, string> = {
    serving: "serves",
    draining: "drains anew",
    disabled: "stays disabled",
    "deletion-scheduled": "is pending deletion",
    created: "",
    retained: "",
    returning: "",
  };
  return `version ${number}, ${keyId}, ${does[standing]}${label === undefined ? "" : ", labelled retired"}`;
}

function gone(before: ManagedKey, versions: Version[]): string[] {
  return before.versions
    .filter(({ keyId }) => versions.every((version) => version.keyId !== keyId))
    .map(
      ({ number, keyId }) =>
        `version ${number}, ${keyId}, is no longer counted: KMS does not show it as ours`,
    );
}
