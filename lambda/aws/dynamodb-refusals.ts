/** `refused#<alias>`: the refused uses of a managed key's versions, and the watch over them. */
import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { RefusedUses } from "../ports.ts";
import type { Refusals, RefusalsWatch } from "../workflow/model/types.ts";
import type { TableClient } from "./dynamodb-client.ts";
import { dueQueue, keys, toItem } from "./dynamodb-items.ts";

type Key = { pk: string; sk: string };

export function createRefusals(db: TableClient): RefusedUses {
  return {
    refusals: async (alias) => {
      const item = await db.get(keys.refusals(alias));
      if (item === undefined) return undefined;
      const { pk: _pk, sk: _sk, queue: _queue, ...refusals } = unmarshall(item);
      return refusals as Refusals;
    },
    saveRefusals: (alias, next, readRevision) => {
      // Only an item with a queue is in the due index.
      const queue = next.dueAtMs === undefined ? {} : { queue: dueQueue };
      return put(db, keys.refusals(alias), { ...next, ...queue }, readRevision);
    },
    refusalsRead: async (alias, revision) => {
      const command = new UpdateItemCommand({
        TableName: db.tableName,
        Key: toItem(keys.refusals(alias)),
        UpdateExpression: "SET revision = :next REMOVE queue, dueAtMs",
        ConditionExpression: "revision = :revision",
        ExpressionAttributeValues: toItem({ ":revision": revision, ":next": revision + 1 }),
      });
      await db.attempt((client) => client.send(command));
    },
    forgetRefusals: async (alias) => {
      const Key = toItem(keys.refusals(alias));
      const command = new DeleteItemCommand({ TableName: db.tableName, Key });
      await db.attempt((client) => client.send(command));
    },
    refusalsWatch: async () => {
      const item = await db.get(keys.refusalsWatch());
      if (item === undefined) return undefined;
      const { pk: _pk, sk: _sk, ...watch } = unmarshall(item);
      return watch as RefusalsWatch;
    },
    saveRefusalsWatch: (next, readRevision) => put(db, keys.refusalsWatch(), next, readRevision),
  };
}

async function put(
  db: TableClient,
  key: Key,
  attributes: Record<string, unknown>,
  readRevision: number,
): Promise<boolean> {
  const command = new PutItemCommand({
    TableName: db.tableName,
    Item: toItem({ ...key, ...attributes }),
    ConditionExpression: "attribute_not_exists(pk) OR revision = :revision",
    ExpressionAttributeValues: toItem({ ":revision": readRevision }),
  });
  return (await db.attempt((client) => client.send(command))) !== undefined;
}
