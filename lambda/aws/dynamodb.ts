/** The state table through the AWS SDK. */
import { QueryCommand, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import type { DueCursor, DuePage, Table } from "../ports.ts";
import { tableDefinition } from "../record/table-definition.ts";
import { createBindings } from "./dynamodb-bindings.ts";
import { claim } from "./dynamodb-claims.ts";
import { createTableClient, type TableClient } from "./dynamodb-client.ts";
import { createDeploymentItems } from "./dynamodb-deployment.ts";
import { dueItemOf, dueQueue, toItem, type Item } from "./dynamodb-items.ts";
import { createRefusals } from "./dynamodb-refusals.ts";
import { createRecords } from "./dynamodb-records.ts";
import { createRequests, describeId } from "./dynamodb-requests.ts";

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
    ...createRefusals(db),
  };
}

/** The index may lag, and so the claim checks again. */
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
