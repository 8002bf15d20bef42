/** The items of the deployment as a whole: the run claim, the applied configuration, the chores. */
import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { Table } from "../ports.ts";
import type { TableClient } from "./dynamodb-client.ts";
import { dueQueue, keys, toItem, updateOf } from "./dynamodb-items.ts";

type DeploymentItems = Pick<
  Table,
  | "takeRunClaim"
  | "releaseRunClaim"
  | "recordConfiguration"
  | "forgetConfigurations"
  | "schedule"
  | "heard"
  | "heardAtMs"
>;

export function createDeploymentItems(db: TableClient): DeploymentItems {
  return {
    takeRunClaim: async (runId, nowMs, untilMs) => {
      const command = new PutItemCommand({
        TableName: db.tableName,
        Item: toItem({ ...keys.runClaim(), runId, untilMs }),
        ConditionExpression: "attribute_not_exists(pk) OR untilMs < :now OR runId = :runId",
        ExpressionAttributeValues: toItem({ ":now": nowMs, ":runId": runId }),
      });
      return (await db.attempt((client) => client.send(command))) !== undefined;
    },
    releaseRunClaim: async (runId) => {
      const command = new DeleteItemCommand({
        TableName: db.tableName,
        Key: toItem(keys.runClaim()),
        ConditionExpression: "runId = :runId",
        ExpressionAttributeValues: toItem({ ":runId": runId }),
      });
      await db.attempt((client) => client.send(command));
    },
    recordConfiguration: async (hash, applied) => {
      const item = { ...keys.configuration(hash), queue: dueQueue, dueAtMs: 0, ...applied };
      const command = new PutItemCommand({ TableName: db.tableName, Item: toItem(item) });
      await db.attempt((client) => client.send(command));
    },
    forgetConfigurations: async (hashes) => {
      for (const hash of hashes) {
        const command = new DeleteItemCommand({
          TableName: db.tableName,
          Key: toItem(keys.configuration(hash)),
        });
        await db.attempt((client) => client.send(command));
      }
    },
    heard: async (atMs) => {
      const command = new PutItemCommand({
        TableName: db.tableName,
        Item: toItem({ ...keys.canary(), heardAtMs: atMs }),
        ConditionExpression: "attribute_not_exists(pk) OR heardAtMs < :at",
        ExpressionAttributeValues: toItem({ ":at": atMs }),
      });
      await db.attempt((client) => client.send(command));
    },
    heardAtMs: async () => {
      const Key = toItem(keys.canary());
      const command = new GetItemCommand({ TableName: db.tableName, Key, ConsistentRead: true });
      const heardAtMs = (await db.attempt((client) => client.send(command)))?.Item?.["heardAtMs"]
        ?.N;
      return heardAtMs === undefined ? undefined : Number(heardAtMs);
    },
    schedule: async (chore, dueAtMs, findings) => {
      const { expression, names, values } = updateOf({
        queue: dueQueue,
        dueAtMs,
        ...(findings === undefined ? {} : { findings }),
      });
      const command = new UpdateItemCommand({
        TableName: db.tableName,
        Key: toItem(keys.chore(chore)),
        UpdateExpression: expression,
        ExpressionAttributeNames: names,
        ExpressionAttributeValues: values,
      });
      await db.attempt((client) => client.send(command));
    },
  };
}
