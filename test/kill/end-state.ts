/**
 * The end state of an account, without ids, times and quarantined extras: equal for a history with
 * and without an interruption. And the conditions of every end state.
 */
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { genesisHash, hashOf } from "../../lambda/record/journal.ts";
import type { JournalEntry } from "../../lambda/ports.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type { ManagedKey, Rotation } from "../../lambda/workflow/model/types.ts";
import type { KeySnapshot } from "../../embedded-aws/kms/snapshot.ts";
import { itemsOf } from "./checkpoint.ts";
import type { Deployment } from "./deployment.ts";

type TableItem = Record<string, unknown> & { pk: string; sk: string };

export type EndState = { kms: Record<string, unknown>; table: Record<string, unknown> };

export type End = {
  state: EndState;
  /** The violations: an orphan, a gap in the journal, a wrong hash. */
  wrong: string[];
  extras: number;
};

export async function endOf(deployment: Deployment): Promise<End> {
  const items = (await itemsOf(deployment)).map((item) => unmarshall(item) as TableItem);
  const records = items.filter(({ sk }) => sk === "record") as (TableItem & ManagedKey)[];
  const rotations = [
    ...items.filter(({ sk }) => sk.startsWith("rotation#")),
    ...records.flatMap((record) => record.rotations.map((open) => ({ ...open, pk: record.pk }))),
  ] as (Rotation & { pk: string })[];
  const names = new Map<string, string>();
  for (const { alias, versions } of records) {
    for (const { keyId, number } of versions) names.set(keyId, `<${alias} v${number}>`);
  }
  for (const { pk, id, from, to } of rotations) names.set(id, `<${pk} ${from}→${to}>`);
  const { keys, aliases } = deployment.aws.kms.snapshot();
  const grantsOf = (keyId: string): unknown[] =>
    [...(deployment.aws.kms.world.keys.get(keyId)?.grants.values() ?? [])].map(
      ({ grantId: _, createdAtMs: __, ...terms }) => JSON.stringify(terms),
    );
  const extras = records.flatMap((record) => record.extras.map(({ keyId }) => keyId));
  const versions = keys.filter(({ keyId }) => names.has(keyId));
  const state = {
    kms: {
      aliases,
      ...Object.fromEntries(
        versions.map((key) => [
          key.keyId,
          { ...keyState(key), grants: grantsOf(key.keyId).sort() },
        ]),
      ),
    },
    table: Object.fromEntries(
      items
        .filter(({ pk }) => !extras.some((keyId) => pk === `kms#${keyId}`))
        .flatMap((item) => itemState(item, deployment.nowMs)),
    ),
  };
  const others = keys.filter(({ keyId }) => !names.has(keyId));
  return {
    state: named(state, names),
    wrong: [
      ...others.flatMap((key) => whyNotQuarantined(key, extras.includes(key.keyId))),
      ...records.flatMap((record) => brokenHistory(record, items, deployment)),
      ...records.flatMap((record) =>
        record.dueAtMs > deployment.nowMs ? [] : [`${record.alias} is still due`],
      ),
    ],
    extras: extras.length,
  };
}

function keyState({ state, spec, usage, description, tags, policy, aliases }: KeySnapshot) {
  const { [tagNames.attempt]: _attempt, ...kept } = tags;
  return { state, spec, usage, description, policy, aliases, tags: Object.entries(kept).sort() };
}

/**
 * Omits journal lines, since an interrupted history has more of them, and an expired run claim,
 * which holds nothing.
 */
function itemState({ pk, sk, ...item }: TableItem, nowMs: number): [string, unknown][] {
  if (sk.startsWith("journal#")) return [];
  if (pk === "run" && (item as unknown as { untilMs: number }).untilMs <= nowMs) return [];
  if (sk !== "record") return [[`${pk} ${sk}`, timeless(item)]];
  const { unsettled, extras: _, ...record } = item as unknown as ManagedKey;
  const state = unsettled.filter(({ untilMs }) => untilMs > nowMs);
  return [[`${pk} ${sk}`, { ...(timeless(record) as object), unsettled: state.length }]];
}

const times = /Ms$|^waitingFor$|^observed$/;
/** Counts of attempts, and random names. */
const counts =
  /^(epoch|revision|writes|journalHead|attempts|misses|grantsCopied|eventId|tableId|hash)$/;

/** Without times, texts that contain them, and traces of a second attempt. */
function timeless(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(timeless);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value)
    .filter(([name]) => !times.test(name) && !counts.test(name))
    // An approval names its evidence by a hash of times.
    .filter(([name, inner]) => name !== "evidence" || typeof inner === "object");
  return Object.fromEntries(
    kept.map(([name, inner]) => [name, name === "policy" ? inner : timeless(inner)]),
  );
}

function named(state: EndState, names: Map<string, string>): EndState {
  let text = JSON.stringify(state);
  for (const [id, name] of names) text = text.replaceAll(id, name);
  return JSON.parse(text) as EndState;
}

/** Why a key that is no version is not a quarantined extra: on record, labelled, and out of use. */
function whyNotQuarantined(key: KeySnapshot, isExtra: boolean): string[] {
  const { keyId, state, tags, aliases, lastUse } = key;
  const what = `${keyId} (${state}, version ${tags[tagNames.version] ?? "none"})`;
  if (!isExtra) return [`orphan: ${what} is in no record`];
  const quarantined =
    state === "Disabled" && tags[tagNames.retired] !== undefined && aliases.length === 0;
  return quarantined && lastUse === undefined ? [] : [`extra: ${what} is not in quarantine`];
}

/**
 * The errors of the journal: each revision has one line, chained to the previous one and published.
 */
function brokenHistory(record: ManagedKey, items: TableItem[], deployment: Deployment): string[] {
  const { alias, revision, outbox } = record as ManagedKey & { outbox: JournalEntry[] };
  const archived = items.filter(({ pk, sk }) => pk === `key#${alias}` && /^journal#/.test(sk));
  const lines = new Map<number, JournalEntry>();
  for (const { pk: _, sk: __, ...line } of archived) {
    lines.set((line as JournalEntry).revision, line as JournalEntry);
  }
  for (const line of outbox) lines.set(line.revision, line);
  const reported = new Set(
    deployment.aws.events.map(({ detail }) => (detail as JournalEntry).hash),
  );
  const wrong: string[] = [];
  let previousHash = genesisHash;
  for (let number = 1; number <= revision; number += 1) {
    const line = lines.get(number);
    if (line === undefined) return [...wrong, `${alias}: revision ${number} has no line`];
    const { hash, ...unhashed } = line;
    const fits = line.previousHash === previousHash && hashOf(unhashed) === hash;
    if (!fits) wrong.push(`${alias}: the chain is broken at revision ${number}`);
    if (!reported.has(hash)) wrong.push(`${alias}: no event reported revision ${number}`);
    previousHash = hash;
  }
  return lines.size === revision ? wrong : [...wrong, `${alias}: more lines than revisions`];
}

/** The differences of two end states, as paths and values. */
export function differences(expected: unknown, got: unknown, path = ""): string[] {
  if (typeof expected !== "object" || typeof got !== "object" || !expected || !got) {
    return expected === got ? [] : [`${path}: ${shown(got)} instead of ${shown(expected)}`];
  }
  const [left, right] = [expected, got] as [Record<string, unknown>, Record<string, unknown>];
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].flatMap((name) => differences(left[name], right[name], `${path}/${name}`));
}

function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
