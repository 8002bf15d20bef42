/**
 * `request#<alias>`: an operator's requests for a managed key, one item each. Also the table's id.
 */
import {
  DeleteItemCommand,
  DescribeTableCommand,
  QueryCommand,
  type TableDescription,
} from "@aws-sdk/client-dynamodb";
import { RotationError } from "../errors.ts";
import type { RequestItem, Table } from "../ports.ts";
import type { TableClient } from "./dynamodb-client.ts";
import { keys, requestOf, toItem, type Item } from "./dynamodb-items.ts";

export function createRequests(db: TableClient): Pick<Table, "requests" | "deleteRequests"> {
  return {
    requests: (alias) => queryRequests(db, alias),
    deleteRequests: async (alias, ids) => {
      for (const id of ids) {
        const command = new DeleteItemCommand({
          TableName: db.tableName,
          Key: toItem(keys.request(alias, id)),
        });
        await db.attempt((client) => client.send(command));
      }
    },
  };
}

/**
 * Consistent: a read after the claim returns every request from before it. A page has at most 1 MB.
 */
async function queryRequests(db: TableClient, alias: string): Promise<RequestItem[]> {
  const { pk } = keys.request(alias, "");
  const found: RequestItem[] = [];
  let after: Item | undefined;
  do {
    const command = new QueryCommand({
      TableName: db.tableName,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: toItem({ ":pk": pk }),
      ConsistentRead: true,
      ...(after === undefined ? {} : { ExclusiveStartKey: after }),
    });
    const page = await db.attempt((client) => client.send(command));
    found.push(...(page?.Items ?? []).map(requestOf));
    after = page?.LastEvaluatedKey;
  } while (after !== undefined);
  return found;
}

export async function describeId(db: TableClient): Promise<string> {
  const command = new DescribeTableCommand({ TableName: db.tableName });
  const answer = await db.attempt((client) => client.send(command));
  const id = tableIdOf(answer?.Table ?? {});
  if (id === undefined) throw new RotationError("TABLE_FAILED", "the table has no id", undefined);
  return id;
}

/** Some emulators return no id: the ARN and creation time identify the table instead. */
export function tableIdOf(table: TableDescription): string | undefined {
  const { TableId: id, TableArn: arn, CreationDateTime: made } = table;
  if (id !== undefined && id !== "") return id;
  return arn === undefined || made === undefined ? undefined : `${arn} ${made.getTime()}`;
}
