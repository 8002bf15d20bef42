/** The items of the state table, and the layout of the aggregate in one item; pure. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { readRecord } from "../record/migrate.ts";
import { replacedAttributes } from "../record/schema-2.ts";
import type { Held } from "../pass/claim.ts";
import type { Chore, DueItem, RequestItem, Stored } from "../ports.ts";
import type { ManagedKey } from "../workflow/model/types.ts";

export type Item = Record<string, AttributeValue>;

/** The one partition of the due index. Only items that can fall due have it. */
export const dueQueue = "due";

export const keys = {
  record: (alias: string) => ({ pk: `key#${alias}`, sk: "record" }),
  journal: (alias: string, revision: number) => ({
    pk: `key#${alias}`,
    sk: `journal#${String(revision).padStart(10, "0")}`,
  }),
  rotation: (alias: string, id: string) => ({ pk: `key#${alias}`, sk: `rotation#${id}` }),
  binding: (keyId: string) => ({ pk: `kms#${keyId}`, sk: "binding" }),
  request: (alias: string, id: string) => ({ pk: `request#${alias}`, sk: id }),
  runClaim: () => ({ pk: "run", sk: "claim" }),
  chore: (chore: Chore) => ({ pk: chore, sk: "state" }),
  refusals: (alias: string) => ({ pk: `refused#${alias}`, sk: "uses" }),
  refusalsWatch: () => ({ pk: "refused#", sk: "watch" }),
  canary: () => ({ pk: "canary", sk: "state" }),
  configuration: (hash: string) => ({ pk: `configuration#${hash}`, sk: "applied" }),
};

export function toItem(value: Record<string, unknown>): Item {
  return marshall(value, { removeUndefinedValues: true });
}

/** The optional fields. */
type Optional<T> = {
  [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? K : never;
}[keyof T];

/** A missing attribute would outlive its field, and so the type requires all of them. */
const absent: Record<Optional<ManagedKey>, undefined> = {
  claim: undefined,
  taggedAtMs: undefined,
  enrolledAtMs: undefined,
  suspectedAtMs: undefined,
  inspectedAtMs: undefined,
  wanted: undefined,
  proposal: undefined,
  unenrolment: undefined,
  planned: undefined,
  reconciledAtMs: undefined,
  collectedFromMs: undefined,
};

/** Attributes of earlier schemas that present ones replace. */
const replaced = Object.fromEntries(replacedAttributes.map((name) => [name, undefined]));

/** Every attribute of the aggregate except its key; undefined ones are to be removed. */
export function attributesOf(stored: Stored): Record<string, unknown> {
  const { record, journalHead, outbox, writes } = stored;
  return { ...absent, ...replaced, ...record, journalHead, outbox, writes, queue: dueQueue };
}

/** A record of version 0.1.0 has no count of its writes until its first claim. */
type Attributes = Omit<Stored, "record" | "writes"> & { writes?: number; schema: number };

export function heldIn(item: Item): Held {
  const { pk: _pk, sk: _sk, queue: _queue, ...attributes } = unmarshall(item);
  const { journalHead, outbox, writes = 0, ...fields } = attributes as Attributes;
  const read = readRecord(fields);
  if (read.kind === "newer-schema") return read;
  const { record, storedSchema } = read;
  return { kind: "held", stored: { record, journalHead, outbox, writes }, storedSchema };
}

/** Operators write these: a number too large for JavaScript loses precision and does not throw. */
export function requestOf(item: Item): RequestItem {
  const { pk: _pk, sk: id, queue: _queue, dueAtMs: _dueAtMs, ...attributes } = item;
  return { id: id?.S ?? "", body: unmarshall(attributes, { wrapNumbers: Number }) };
}

/** The meaning of an entry in the due index; undefined for one that this code does not know. */
export function dueItemOf(item: Item): DueItem | undefined {
  const pk = item["pk"]?.S ?? "";
  const dueAtMs = Number(item["dueAtMs"]?.N);
  const after = (prefix: string): string | undefined =>
    pk.startsWith(prefix) ? pk.slice(prefix.length) : undefined;
  const managed = item["sk"]?.S === "record" ? after("key#") : undefined;
  if (managed !== undefined) return { kind: "managed-key", alias: managed, dueAtMs };
  const asked = after("request#");
  if (asked !== undefined) return { kind: "request", alias: asked, dueAtMs };
  const refused = after("refused#");
  if (refused !== undefined) return { kind: "refusals", alias: refused, dueAtMs };
  if (pk === "audit" || pk === "tag-search") return { kind: "chore", chore: pk, dueAtMs };
  const hash = after("configuration#");
  return hash === undefined ? undefined : { kind: "configuration", hash };
}

/** The parts of an UpdateItem that sets every given attribute and removes the undefined ones. */
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
