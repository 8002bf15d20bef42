/** The items of the state table, and how the aggregate is laid out in one of them; pure. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import type { DueItem, JournalEntry, Stored } from "../ports.ts";
import type { ManagedKey } from "../workflow/types.ts";

export type Item = Record<string, AttributeValue>;

/** The schema of the aggregate that this code writes; an item of a newer one is left alone. */
export const schema = 1;

/** The one partition of the due index: written only on items that can fall due. */
export const dueQueue = "due";

export const keys = {
  record: (alias: string) => ({ pk: `key#${alias}`, sk: "record" }),
  journal: (alias: string, revision: number) => ({
    pk: `key#${alias}`,
    sk: `journal#${String(revision).padStart(10, "0")}`,
  }),
  rotation: (alias: string, id: string) => ({ pk: `key#${alias}`, sk: `rotation#${id}` }),
  binding: (keyId: string) => ({ pk: `kms#${keyId}`, sk: "binding" }),
  runClaim: () => ({ pk: "run", sk: "claim" }),
  audit: () => ({ pk: "audit", sk: "state" }),
  configuration: (hash: string) => ({ pk: `configuration#${hash}`, sk: "applied" }),
};

export function toItem(value: Record<string, unknown>): Item {
  return marshall(value, { removeUndefinedValues: true });
}

/** Every attribute of the aggregate but its key; what is undefined is to be removed. */
export function attributesOf(stored: Stored): Record<string, unknown> {
  const { record, journalHead, outbox } = stored;
  const optional = {
    claim: undefined,
    taggedAtMs: undefined,
    enrolledAtMs: undefined,
    suspectedAtMs: undefined,
  };
  return { ...optional, ...record, journalHead, outbox, queue: dueQueue };
}

export function storedOf(item: Item): Stored {
  const { pk: _pk, sk: _sk, queue: _queue, journalHead, outbox, ...record } = unmarshall(item);
  return {
    record: record as ManagedKey,
    journalHead: journalHead as string,
    outbox: outbox as JournalEntry[],
  };
}

/** What an entry of the due index stands for; undefined for one that this code does not know. */
export function dueItemOf(item: Item): DueItem | undefined {
  const { pk, sk, dueAtMs } = unmarshall(item) as { pk: string; sk: string; dueAtMs: number };
  if (pk.startsWith("key#") && sk === "record") {
    return { kind: "managed-key", alias: pk.slice("key#".length), dueAtMs };
  }
  if (pk === "audit") return { kind: "audit", dueAtMs };
  if (pk.startsWith("configuration#")) {
    return { kind: "configuration", hash: pk.slice("configuration#".length) };
  }
  return undefined;
}

/** An UpdateItem's parts that set every attribute given and remove the undefined ones. */
export function updateOf(attributes: Record<string, unknown>): {
  expression: string;
  names: Record<string, string>;
  values: Item;
} {
  const set = Object.keys(attributes).filter((name) => attributes[name] !== undefined);
  const remove = Object.keys(attributes).filter((name) => attributes[name] === undefined);
  const sets = set.map((name) => `#${name} = :${name}`).join(", ");
  const removes = remove.map((name) => `#${name}`).join(", ");
  return {
    expression: `SET ${sets}${removes === "" ? "" : ` REMOVE ${removes}`}`,
    names: Object.fromEntries(Object.keys(attributes).map((name) => [`#${name}`, name])),
    values: toItem(Object.fromEntries(set.map((name) => [`:${name}`, attributes[name]]))),
  };
}
