/** The state table through the AWS SDK. */
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type DynamoDBClientConfig,
} from "@aws-sdk/client-dynamodb";
import { describeError, RotationError } from "../errors.ts";
import type { DueCursor, DuePage, Table } from "../ports.ts";
import { tableDefinition } from "../table-definition.ts";
import { createBindings } from "./dynamodb-bindings.ts";
import { claim } from "./dynamodb-claims.ts";
import { createDeploymentItems } from "./dynamodb-deployment.ts";
import { dueItemOf, dueQueue, toItem, type Item } from "./dynamodb-items.ts";
import { createRecords } from "./dynamodb-records.ts";
import { createRequests, describeId } from "./dynamodb-requests.ts";

/** The state table as its adapter's parts see it: a client, a name, and errors that are ours. */
export type TableClient = {
  tableName: string;
  /** Runs a request; undefined where its condition did not hold, and throws a `RotationError` else. */
  attempt<T>(request: (client: DynamoDBClient) => Promise<T>): Promise<T | undefined>;
  get(key: { pk: string; sk: string }): Promise<Item | undefined>;
};

export function createTable(tableName: string, config: DynamoDBClientConfig = {}): Table {
  const db = createTableClient(tableName, config);
  return {
    due: (nowMs, limit, after) => queryDue(db, nowMs, limit, after),
    claim: (alias, request) => claim(db, alias, request),
    id: () => describeId(db),
    ...createRecords(db),
    ...createRequests(db),
    ...createBindings(db),
    ...createDeploymentItems(db),
  };
}

/**
 * The SDK prepares a copy of each answer for its logger, where that has `info`, whether it is heard or
 * not: of ten thousand records, that is half of the time.
 */
const withoutInfo = { trace: ignore, debug: ignore, warn: ignore, error: ignore } as NonNullable<
  DynamoDBClientConfig["logger"]
>;

function ignore(): void {
  return undefined;
}

export function createTableClient(tableName: string, config: DynamoDBClientConfig): TableClient {
  const client = new DynamoDBClient({ ...config, logger: withoutInfo });
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
