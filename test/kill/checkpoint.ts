/** The complete state of an account at one moment, for any number of starts. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { tableIdOf } from "../../lambda/aws/dynamodb-requests.ts";
import type { RecordedEvent } from "../../embedded-aws/eventbridge.ts";
import type { World } from "../../embedded-aws/kms/types.ts";
import type { Product } from "./application.ts";
import { Deployment, tableName } from "./deployment.ts";
import type { History } from "./history.ts";

export type Item = Record<string, AttributeValue>;

type KmsState = Pick<
  World,
  "keys" | "aliases" | "pendingDeletion" | "grantTokens" | "keysMade" | "awsManagedKeys"
>;

export type Checkpoint = {
  history: History;
  nowMs: number;
  lastTickMs: number;
  lastUseMs: number;
  kms: KmsState;
  items: Item[];
  events: RecordedEvent[];
  products: Product[];
};

const itemsPerBatch = 25;

export async function checkpointOf(deployment: Deployment): Promise<Checkpoint> {
  const { keys, aliases, pendingDeletion, grantTokens, keysMade, awsManagedKeys } =
    deployment.aws.kms.world;
  return {
    history: deployment.history,
    nowMs: deployment.nowMs,
    lastTickMs: deployment.lastTickMs,
    lastUseMs: deployment.lastUseMs,
    kms: structuredClone({
      keys,
      aliases,
      pendingDeletion,
      grantTokens,
      keysMade,
      awsManagedKeys,
    }),
    items: await itemsOf(deployment),
    events: structuredClone([...deployment.aws.events]),
    products: [...deployment.products],
  };
}

/** A new account with this state; `seed` keeps its new ids distinct. */
export async function restored(checkpoint: Checkpoint, seed: number): Promise<Deployment> {
  const deployment = await Deployment.open(checkpoint.history, checkpoint.nowMs, seed);
  const { lastTickMs, lastUseMs, products, events } = checkpoint;
  const items = await inTableOf(deployment, checkpoint.items);
  Object.assign(deployment, { lastTickMs, lastUseMs });
  deployment.products.push(...products);
  (deployment.aws.events as RecordedEvent[]).push(...events);
  const { world } = deployment.aws.kms;
  const kms = structuredClone(checkpoint.kms);
  for (const [id, key] of kms.keys) world.keys.set(id, key);
  for (const [name, alias] of kms.aliases) world.aliases.set(name, alias);
  for (const [token, grant] of kms.grantTokens) world.grantTokens.set(token, grant);
  for (const key of kms.pendingDeletion) world.pendingDeletion.add(key);
  world.keysMade = kms.keysMade;
  world.awsManagedKeys = kms.awsManagedKeys;
  for (let from = 0; from < items.length; from += itemsPerBatch) {
    const batch = items.slice(from, from + itemsPerBatch);
    const RequestItems = { [tableName]: batch.map((Item) => ({ PutRequest: { Item } })) };
    await deployment.dynamoDb.batchWriteItem({ RequestItems });
  }
  return deployment;
}

/** Puts the new table's id into the records: a record with another table's id would halt. */
async function inTableOf({ dynamoDb }: Deployment, items: Item[]): Promise<Item[]> {
  const { Table } = await dynamoDb.describeTable({ TableName: tableName });
  const tableId = { S: tableIdOf(Table ?? {}) ?? "" };
  return items.map((item) => (item["tableId"] === undefined ? item : { ...item, tableId }));
}

/** Every item of the state table. */
export async function itemsOf(deployment: Deployment): Promise<Item[]> {
  const items: Item[] = [];
  let from: Item | undefined;
  do {
    const start = from === undefined ? {} : { ExclusiveStartKey: from };
    const page = await deployment.dynamoDb.scan({ TableName: tableName, ...start });
    items.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return items;
}
