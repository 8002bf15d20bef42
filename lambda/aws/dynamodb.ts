/** The state table through the AWS SDK. */
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type DynamoDBClientConfig,
} from "@aws-sdk/client-dynamodb";
import { claimDelayMs } from "../backoff.ts";
import { canonicalJson } from "../canonical.ts";
import { describeError, RotationError } from "../errors.ts";
import { genesisHash } from "../journal.ts";
import type {
  Claimed,
  ClaimRequest,
  DueCursor,
  DuePage,
  Stored,
  Table,
  Written,
} from "../ports.ts";
import { tableDefinition } from "../table-definition.ts";
import type { ManagedKey } from "../workflow/types.ts";
import { createBindings } from "./dynamodb-bindings.ts";
import { createDeploymentItems } from "./dynamodb-deployment.ts";
import {
  attributesOf,
  dueItemOf,
  dueQueue,
  keys,
  schema,
  storedOf,
  toItem,
  updateOf,
  type Item,
} from "./dynamodb-items.ts";

/** The state table as its adapter's parts see it: a client, a name, and errors that are ours. */
export type TableClient = {
  tableName: string;
  /** Runs a request; undefined where its condition did not hold, and throws a `RotationError` else. */
  attempt<T>(request: (client: DynamoDBClient) => Promise<T>): Promise<T | undefined>;
  get(key: { pk: string; sk: string }): Promise<Item | undefined>;
};

const keysPerBatchGet = 100;

export function createTable(tableName: string, config: DynamoDBClientConfig = {}): Table {
  const db = createTableClient(tableName, config);
  const read = async (alias: string): Promise<Stored | undefined> => {
    const item = await db.get(keys.record(alias));
    return item === undefined ? undefined : storedOf(item);
  };
  return {
    due: (nowMs, limit, after) => queryDue(db, nowMs, limit, after),
    claim: (alias, request) => claim(db, alias, request),
    write: (next, expected) => write(db, next, expected, read),
    read,
    readMany: (aliases) => readMany(db, aliases),
    create: async (record) => {
      const stored: Stored = { record, journalHead: genesisHash, outbox: [] };
      const item = toItem({ ...keys.record(record.alias), ...attributesOf(stored) });
      await db.attempt((client) =>
        client.send(
          new PutItemCommand({
            TableName: tableName,
            Item: item,
            ConditionExpression: "attribute_not_exists(pk)",
          }),
        ),
      );
    },
    nudge: async (alias, nowMs, suspectedAtMs) => {
      const attributes = {
        dueAtMs: nowMs,
        ...(suspectedAtMs === undefined ? {} : { suspectedAtMs }),
      };
      const { expression, names, values } = updateOf(attributes);
      const answer = await db.attempt((client) =>
        client.send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: toItem(keys.record(alias)),
            UpdateExpression: expression,
            ConditionExpression: `${claimClauses.exists} AND ${claimClauses.unclaimed}`,
            ExpressionAttributeNames: { ...names, "#claim": "claim", "#untilMs": "untilMs" },
            ExpressionAttributeValues: { ...values, ...toItem({ ":now": nowMs }) },
          }),
        ),
      );
      return answer !== undefined;
    },
    ...createBindings(db, read),
    ...createDeploymentItems(db),
  };
}

function createTableClient(tableName: string, config: DynamoDBClientConfig): TableClient {
  const client = new DynamoDBClient(config);
  const attempt: TableClient["attempt"] = async (request) => {
    try {
      return await request(client);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw new RotationError("TABLE_FAILED", describeError(error), error);
    }
  };
  return {
    tableName,
    attempt,
    get: async (key) => {
      const command = new GetItemCommand({
        TableName: tableName,
        Key: toItem(key),
        ConsistentRead: true,
      });
      return (await attempt((connected) => connected.send(command)))?.Item;
    },
  };
}

/** The index may lag: it proposes, and the claim decides. */
async function queryDue(
  db: TableClient,
  nowMs: number,
  limit: number,
  after: DueCursor | undefined,
): Promise<DuePage> {
  const command = new QueryCommand({
    TableName: db.tableName,
    IndexName: tableDefinition.dueIndex.name,
    KeyConditionExpression: "queue = :queue AND dueAtMs <= :now",
    ExpressionAttributeValues: toItem({ ":queue": dueQueue, ":now": nowMs }),
    Limit: limit,
    ...(after === undefined ? {} : { ExclusiveStartKey: after.cursor as Item }),
  });
  const page = await db.attempt((client) => client.send(command));
  const items = (page?.Items ?? []).map(dueItemOf).filter((item) => item !== undefined);
  const cursor = page?.LastEvaluatedKey;
  return { items, ...(cursor === undefined ? {} : { next: { cursor } }) };
}

/** The clauses of a claim, each by name. */
const claimClauses = {
  exists: "attribute_exists(pk)",
  ofThisSchema: "#schema = :schema",
  due: "#dueAtMs <= :now",
  unclaimed: "(attribute_not_exists(#claim) OR #claim.#untilMs < :now)",
};

async function claim(db: TableClient, alias: string, request: ClaimRequest): Promise<Claimed> {
  const { runId, nowMs, untilMs, dueAgainAtMs } = request;
  const before = await db.get(keys.record(alias));
  if (before === undefined) return { kind: "taken" };
  const { record } = storedOf(before);
  if (record.schema !== schema) return { kind: "newer-schema", schema: record.schema };
  const epoch = record.epoch + 1;
  const command = new UpdateItemCommand({
    TableName: db.tableName,
    Key: toItem(keys.record(alias)),
    UpdateExpression:
      "SET #claim = :claim, #epoch = :epoch, #dueAtMs = :again, #backoff.#tries = :tries",
    ConditionExpression: `${Object.values(claimClauses).join(" AND ")} AND #epoch = :seenEpoch`,
    ExpressionAttributeNames: {
      "#claim": "claim",
      "#untilMs": "untilMs",
      "#epoch": "epoch",
      "#dueAtMs": "dueAtMs",
      "#backoff": "backoff",
      "#tries": "tries",
      "#schema": "schema",
    },
    ExpressionAttributeValues: toItem({
      ":claim": { runId, epoch, untilMs },
      ":epoch": epoch,
      ":seenEpoch": record.epoch,
      ":again": dueAgainAtMs + claimDelayMs(record.backoff.tries),
      ":tries": record.backoff.tries + 1,
      ":now": nowMs,
      ":schema": schema,
    }),
    ReturnValues: "ALL_NEW",
  });
  const answer = await db.attempt((client) => client.send(command));
  if (answer?.Attributes !== undefined) {
    return { kind: "claimed", stored: storedOf(answer.Attributes) };
  }
  return claimedAfterAll(db, alias, request, epoch);
}

/** The condition may have failed on our own claim, whose response was lost and which was retried. */
async function claimedAfterAll(
  db: TableClient,
  alias: string,
  { runId, nowMs }: ClaimRequest,
  epoch: number,
): Promise<Claimed> {
  const item = await db.get(keys.record(alias));
  if (item === undefined) return { kind: "taken" };
  const stored = storedOf(item);
  const ours = stored.record.claim?.runId === runId && stored.record.epoch === epoch;
  if (ours) return { kind: "claimed", stored };
  const untilMs = stored.record.claim?.untilMs ?? 0;
  return untilMs < nowMs ? { kind: "taken" } : { kind: "taken", untilMs };
}

async function write(
  db: TableClient,
  next: Stored,
  expected: { revision: number; epoch: number },
  read: Table["read"],
): Promise<Written> {
  const { expression, names, values } = updateOf(attributesOf(next));
  const command = new UpdateItemCommand({
    TableName: db.tableName,
    Key: toItem(keys.record(next.record.alias)),
    UpdateExpression: expression,
    ConditionExpression: "#revision = :seenRevision AND #epoch = :seenEpoch",
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: {
      ...values,
      ...toItem({ ":seenRevision": expected.revision, ":seenEpoch": expected.epoch }),
    },
  });
  const answer = await db.attempt((client) => client.send(command));
  if (answer !== undefined) return { kind: "written" };
  const there = await read(next.record.alias);
  const ours = there !== undefined && canonicalJson(there) === canonicalJson(plain(next));
  return ours ? { kind: "written" } : { kind: "lost" };
}

/** As it comes back from the table: without the fields that are undefined. */
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
      const items = answer?.Responses?.[db.tableName] ?? [];
      records.push(...items.map((item) => storedOf(item).record));
      wanted = answer?.UnprocessedKeys?.[db.tableName]?.Keys ?? [];
    }
  }
  return records;
}
