/** The DynamoDB client that the parts of the table adapter share. */
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  type DynamoDBClientConfig,
} from "@aws-sdk/client-dynamodb";
import { describeError, RotationError } from "../errors.ts";
import { toItem, type Item } from "./dynamodb-items.ts";

/** The state table for the parts of its adapter: a client, a name, and our errors. */
export type TableClient = {
  tableName: string;
  /**
   * Runs a request; undefined if its condition failed. Throws a `RotationError` on other errors.
   */
  attempt<T>(request: (client: DynamoDBClient) => Promise<T>): Promise<T | undefined>;
  get(key: { pk: string; sk: string }): Promise<Item | undefined>;
};

/**
 * The SDK copies each answer for a logger that has `info`, even one that discards it. For ten
 * thousand records that takes half of the time.
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
