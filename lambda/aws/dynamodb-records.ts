/** `key#<alias>`: the aggregate of a managed key in one item; reads, writes, and nudges. */
import { BatchGetItemCommand, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { canonicalJson } from "../record/canonical.ts";
import { genesisHash } from "../record/journal.ts";
import { oldestSchema, schema } from "../record/migrate.ts";
import type { Held } from "../pass/claim.ts";
import type { Expected, Nudge, Stored, Table, Written } from "../ports.ts";
import type { ManagedKey } from "../workflow/model/types.ts";
import type { TableClient } from "./dynamodb-client.ts";
import { attributesOf, heldIn, keys, toItem, updateOf } from "./dynamodb-items.ts";

type Records = Pick<Table, "write" | "read" | "readMany" | "create" | "nudge">;

const keysPerBatchGet = 100;

/** The conditions of changes to a record, by name. */
export const clauses = {
  exists: "attribute_exists(pk)",
  /** Rejects records that newer code wrote. */
  ofAKnownSchema: "#schema BETWEEN :oldestSchema AND :schema",
  unclaimed: "(attribute_not_exists(#claim) OR #claim.#untilMs < :now)",
  dueLater: "#dueAtMs > :dueAtMs",
  ofTheRevisionRead: "#revision = :readRevision",
  ofTheEpochRead: "#epoch = :readEpoch",
  /** Until its first claim, a record of version 0.1.0 has no count. */
  ofTheWritesRead: "(attribute_not_exists(#writes) OR #writes = :readWrites)",
};

export function createRecords(db: TableClient): Records {
  const read = async (alias: string): Promise<Stored | undefined> => {
    const held = await readHeld(db, alias);
    return held?.kind === "held" ? held.stored : undefined;
  };
  return {
    read,
    readMany: (aliases) => readMany(db, aliases),
    write: (next, expected) => write(db, next, expected, read),
    create: async (record) => {
      const stored: Stored = { record, journalHead: genesisHash, outbox: [], writes: 0 };
      const command = new PutItemCommand({
        TableName: db.tableName,
        Item: toItem({ ...keys.record(record.alias), ...attributesOf(stored) }),
        ConditionExpression: "attribute_not_exists(pk)",
      });
      await db.attempt((client) => client.send(command));
    },
    nudge: (alias, nowMs, how = {}) => nudge(db, alias, nowMs, how),
  };
}

/** Also reports a record that this code cannot read. */
export async function readHeld(db: TableClient, alias: string): Promise<Held | undefined> {
  const item = await db.get(keys.record(alias));
  return item === undefined ? undefined : heldIn(item);
}

async function nudge(db: TableClient, alias: string, nowMs: number, how: Nudge): Promise<boolean> {
  const { onlyEarlier = false, ...times } = how;
  const { expression, names, values } = updateOf({ dueAtMs: nowMs, ...times });
  const { exists, ofAKnownSchema, unclaimed, dueLater } = clauses;
  const conditions = [exists, ofAKnownSchema, unclaimed, ...(onlyEarlier ? [dueLater] : [])];
  const command = new UpdateItemCommand({
    TableName: db.tableName,
    Key: toItem(keys.record(alias)),
    UpdateExpression: `${expression} ADD #writes :one`,
    ConditionExpression: conditions.join(" AND "),
    ExpressionAttributeNames: {
      ...names,
      "#writes": "writes",
      "#claim": "claim",
      "#untilMs": "untilMs",
      "#schema": "schema",
    },
    ExpressionAttributeValues: {
      ...values,
      ...toItem({ ":now": nowMs, ":schema": schema, ":oldestSchema": oldestSchema, ":one": 1 }),
    },
  });
  return (await db.attempt((client) => client.send(command))) !== undefined;
}

async function write(
  db: TableClient,
  next: Stored,
  expected: Expected,
  read: Table["read"],
): Promise<Written> {
  const { expression, names, values } = updateOf(attributesOf(next));
  const { ofTheRevisionRead, ofTheEpochRead, ofTheWritesRead, ofAKnownSchema } = clauses;
  const conditions = [ofTheRevisionRead, ofTheEpochRead, ofTheWritesRead, ofAKnownSchema];
  const command = new UpdateItemCommand({
    TableName: db.tableName,
    Key: toItem(keys.record(next.record.alias)),
    UpdateExpression: expression,
    ConditionExpression: conditions.join(" AND "),
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: {
      ...values,
      ...toItem({
        ":readRevision": expected.revision,
        ":readEpoch": expected.epoch,
        ":readWrites": expected.writes,
        ":schema": schema,
        ":oldestSchema": oldestSchema,
      }),
    },
  });
  const answer = await db.attempt((client) => client.send(command));
  if (answer !== undefined) return { kind: "written" };
  const there = await read(next.record.alias);
  const ours = there !== undefined && canonicalJson(there) === canonicalJson(plain(next));
  return ours ? { kind: "written" } : { kind: "lost" };
}

/** As the table returns it: without undefined fields. */
function plain(stored: Stored): unknown {
  return JSON.parse(JSON.stringify(stored));
}

async function readMany(db: TableClient, aliases: string[]): Promise<ManagedKey[]> {
  const records: ManagedKey[] = [];
  for (let from = 0; from < aliases.length; from += keysPerBatchGet) {
    let wanted = aliases
      .slice(from, from + keysPerBatchGet)
      .map((alias) => toItem(keys.record(alias)));
    while (wanted.length > 0) {
      const asked = { Keys: wanted, ConsistentRead: true };
      const command = new BatchGetItemCommand({ RequestItems: { [db.tableName]: asked } });
      const answer = await db.attempt((client) => client.send(command));
      const held = (answer?.Responses?.[db.tableName] ?? []).map(heldIn);
      records.push(...held.flatMap((one) => (one.kind === "held" ? [one.stored.record] : [])));
      wanted = answer?.UnprocessedKeys?.[db.tableName]?.Keys ?? [];
    }
  }
  return records;
}
