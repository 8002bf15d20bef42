/** DynamoDB as the parts of the table's adapter use it. */
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  type DynamoDBClientConfig,
} from "@aws-sdk/client-dynamodb";
import { describeError, RotationError } from "../errors.ts";
import { toItem, type Item } from "./dynamodb-items.ts";

/** The state table as its adapter's parts see it: a client, a name, and errors that are ours. */
export type TableClient = {
  tableName: string;
  /** Runs a request; undefined where its condition did not hold, and throws a `RotationError` else. */
  attempt<T>(request: (client: DynamoDBClient) => Promise<T>): Promise<T | undefined>;
  get(key: { pk: string; sk: string }): Promise<Item | undefined>;
};

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
