/**
 * A table that was restored from a backup, or made anew, knows less than KMS does. KMS keeps traces of
 * every changing call: newer versions, labels, aliases where no call of ours on record put them. Any
 * such trace stops all changing calls until a person had the record reconciled.
 */
import { finding, type Finding } from "../model/findings.ts";
import { reconcileCommand } from "../model/request-command.ts";
import { consistencyMs } from "../model/limits.ts";
import { stillToObserve, valueOf } from "./observations.ts";
import { tagNames } from "../model/tag-names.ts";
import type {
  Decision,
  KmsRead,
  ManagedKey,
  Context,
  Scene,
  Tags,
  Version,
} from "../model/types.ts";

/**
 * What is to be seen first, or that KMS shows a version, or a label, that the record does not know. The
 * search by tags costs no request of KMS; it may lag, so what it says is confirmed on the key.
 */
export function lineageFirst(scene: Scene): Decision | undefined {
  const { record, observed, context } = scene;
  const search = stillToObserve(observed, [{ kind: "lineage", alias: record.alias }]);
  if (search !== undefined) return search;
  const found = valueOf(observed.lineage[record.alias]) ?? [];
  const known = [...record.versions, ...record.extras].map(({ keyId }) => keyId);
  const unknown = found.filter(({ keyId }) => !known.includes(keyId)).map(({ keyId }) => keyId);
  const oddlyLabelled = record.versions.filter(({ keyId, number }) => {
    const tags = found.find((one) => one.keyId === keyId)?.tags;
    return tags !== undefined && !isLabelKnown(record, number, tags);
  });
  const reads = unknown.flatMap((keyId): KmsRead[] => [
    { kind: "key", key: keyId },
    { kind: "tags", keyId },
  ]);
  const labels = oddlyLabelled.map(({ keyId }): KmsRead => ({ kind: "tags", keyId }));
  const first = stillToObserve(observed, [...reads, ...labels]);
  if (first !== undefined) return first;
  const newer = unknown.find((keyId) => isNewer(scene, keyId));
  if (newer !== undefined) {
    const number = valueOf(observed.tags[newer])?.[tagNames.version] ?? "?";
    const observations = `${newer} says it is version ${number}; the record knows none beyond ${record.lastNumber}`;
    return { kind: "halt", finding: behind(record, observations, context.nowMs) };
  }
  for (const version of oddlyLabelled) {
    const wrong = wrongLabel(scene, version);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** A lookup by tags may name a key that is gone, or was tagged anew: the key itself is believed. */
function isNewer({ record, observed }: Scene, keyId: string): boolean {
  const tags = valueOf(observed.tags[keyId]);
  if (tags === undefined || valueOf(observed.key[keyId]) === undefined) return false;
  return isOurs(record, tags) && numberOf(tags) > record.lastNumber;
}

export function isOurs(record: Pick<ManagedKey, "owner" | "alias">, tags: Tags): boolean {
  return tags[tagNames.owner] === record.owner && tags[tagNames.alias] === record.alias;
}

/** The number a key says it has; 0 where it says none. */
export function numberOf(tags: Tags): number {
  const text = tags[tagNames.version] ?? "";
  return /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : 0;
}

/** The table is not the one that the record was written in. */
export function otherTable(record: ManagedKey, context: Context): Finding | undefined {
  if (record.tableId === context.tableId) return undefined;
  const observations = `the record was written in table ${record.tableId}; this is ${context.tableId}`;
  return behind(record, observations, context.nowMs);
}

/**
 * The label on a version is not the one that the record has put there. What was put there just now is
 * not seen by every read yet, and a read of then is no sign of a later state.
 */
export function wrongLabel(
  { record, observed, context }: Scene,
  version: Version,
): Extract<Decision, { kind: "halt" | "wait" }> | undefined {
  const tags = valueOf(observed.tags[version.keyId]);
  if (tags === undefined || isLabelKnown(record, version.number, tags)) return undefined;
  const settlesAtMs = record.authorizationChangedAtMs + consistencyMs;
  if (context.nowMs < settlesAtMs) {
    return { kind: "wait", untilMs: settlesAtMs, reason: "until every read shows the last label" };
  }
  const there = tags[tagNames.retired] ?? "nothing";
  const observations = `version ${version.number}, ${version.keyId}, is labelled ${there}; on record is ${version.label ?? "nothing"}`;
  return { kind: "halt", finding: behind(record, observations, context.nowMs) };
}

/** As it is on record, or as a call without an answer may have made it. */
function isLabelKnown(record: ManagedKey, number: number, tags: Tags): boolean {
  const there = tags[tagNames.retired];
  const version = record.versions.find((one) => one.number === number);
  if (version === undefined || version.label === "unknown" || there === version.label) return true;
  return record.rotations.some(({ id, from, to, episode, unanswered }) => {
    if (unanswered === "UntagResource") return to === number && there === undefined;
    const wanted = [labelOf(id, episode), labelOf(id, episode + 1)];
    return unanswered === "TagResource" && from === number && wanted.includes(there ?? "");
  });
}

/** Which rotation retired a version, and, once it came back, for the how manieth time. */
export function labelOf(rotationId: string, episode: number): string {
  return episode === 1 ? rotationId : `${rotationId}.${episode}`;
}

/** The halt that every sign of a record older than KMS amounts to. */
export function behind(record: ManagedKey, observations: string, nowMs: number): Finding {
  const shown = record.proposal;
  const observed =
    shown === undefined
      ? observations
      : `${observations}. Reconciling would write: ${shown.lines.join("; ")}`;
  const next = reconcileCommand(record);
  return finding("STATE_BEHIND_KMS", record.alias, observed.slice(0, 2000), next, nowMs);
}
