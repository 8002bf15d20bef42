/**
 * A table that was restored from a backup, or is new, has less than KMS. KMS keeps traces of every
 * changing call: newer versions, labels, aliases that no call on record moved. Any such trace stops
 * all changing calls until an operator reconciles the record.
 */
import { finding, type Finding } from "../model/findings.ts";
import { reconcileCommand } from "../model/request-command.ts";
import { consistencyMs } from "../model/limits.ts";
import { unknownOf } from "../model/record.ts";
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
 * The reads to make first, or the halt if KMS shows a version or a label that the record does not
 * have. The search by tags costs no KMS request; it may lag, so keyturn confirms its result on the
 * key.
 */
export function lineageFirst(scene: Scene): Decision | undefined {
  const { record, observed, context } = scene;
  const search = stillToObserve(observed, [{ kind: "lineage", alias: record.alias }]);
  if (search !== undefined) return search;
  const found = valueOf(observed.lineage[record.alias]) ?? [];
  const unknown = unknownOf(
    record,
    found.map(({ keyId }) => keyId),
  );
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
    const observations = `${newer} is tagged as version ${number}; the last one on record is ${record.lastNumber}`;
    return { kind: "halt", finding: behind(record, observations, context.nowMs) };
  }
  for (const version of oddlyLabelled) {
    const wrong = wrongLabel(scene, version);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** A search by tags may name a key that was deleted or retagged: the key itself decides. */
function isNewer({ record, observed }: Scene, keyId: string): boolean {
  const tags = valueOf(observed.tags[keyId]);
  if (tags === undefined || valueOf(observed.key[keyId]) === undefined) return false;
  return isOurs(record, tags) && numberOf(tags) > record.lastNumber;
}

export function isOurs(record: Pick<ManagedKey, "owner" | "alias">, tags: Tags): boolean {
  return tags[tagNames.owner] === record.owner && tags[tagNames.alias] === record.alias;
}

/** The version number in a key's tags; 0 where there is none. */
export function numberOf(tags: Tags): number {
  const text = tags[tagNames.version] ?? "";
  return /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : 0;
}

/** The finding where the record was written in another table. */
export function otherTable(record: ManagedKey, context: Context): Finding | undefined {
  if (record.tableId === context.tableId) return undefined;
  const observations = `the record was written in table ${record.tableId}; this table is ${context.tableId}`;
  return behind(record, observations, context.nowMs);
}

/**
 * The halt where a version's label differs from the record, or the wait just after a change of
 * tags: a read may not show it yet, and an old read is no sign of a later state.
 */
export function wrongLabel(
  { record, observed, context }: Scene,
  version: Version,
): Extract<Decision, { kind: "halt" | "wait" }> | undefined {
  const tags = valueOf(observed.tags[version.keyId]);
  if (tags === undefined || isLabelKnown(record, version.number, tags)) return undefined;
  const settlesAtMs = record.authorizationChangedAtMs + consistencyMs;
  if (context.nowMs < settlesAtMs) {
    return { kind: "wait", untilMs: settlesAtMs, reason: "reads may not show the last label yet" };
  }
  const there = tags[tagNames.retired] ?? "missing";
  const observations = `version ${version.number}, ${version.keyId}: its label is ${there}; the record has ${version.label ?? "none"}`;
  return { kind: "halt", finding: behind(record, observations, context.nowMs) };
}

/** Whether the label is on record, or a call without an answer may have set it. */
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

/** The label: the rotation that retires a version and, after a restore, the count of its drains. */
export function labelOf(rotationId: string, episode: number): string {
  return episode === 1 ? rotationId : `${rotationId}.${episode}`;
}

/** The finding for every sign of a record older than KMS. */
export function behind(record: ManagedKey, observations: string, nowMs: number): Finding {
  const shown = record.proposal;
  const observed =
    shown === undefined
      ? observations
      : `${observations}. Reconciling would write: ${shown.lines.join("; ")}`;
  const next = reconcileCommand(record);
  return finding("STATE_BEHIND_KMS", record.alias, observed.slice(0, 2000), next, nowMs);
}
