/** Writes a request as an operator does: an item in the table, as `npx keyturn` writes it. */
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import { tableName } from "./stage.ts";

export async function writeRequest(alias: string, id: string, body: object): Promise<void> {
  const key = { pk: `request#${alias}`, sk: id, queue: "due", dueAtMs: 1 };
  const Item = marshall({ ...key, by: "ada", ...body });
  const dynamoDb = new DynamoDBClient({});
  await dynamoDb.send(new PutItemCommand({ TableName: tableName, Item }));
  dynamoDb.destroy();
}
