/** A state table on the emulator, deleted at the end of its test. */
import { DynamoDB, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import { onTestFinished } from "vitest";
import { createTableInput } from "../../embedded-aws/dynamodb.ts";
import { anAccount, type EmulatorSdk } from "./run.ts";

export async function anEmulatedTable(
  sdk: EmulatorSdk = anAccount().sdk,
): Promise<{ tableName: string; sdk: EmulatorSdk }> {
  const tableName = `keyturn-test-${sdk.credentials.accessKeyId}`;
  const client = new DynamoDB(sdk);
  onTestFinished(async () => {
    await client.deleteTable({ TableName: tableName });
    client.destroy();
  });
  await client.createTable(createTableInput(tableName));
  await waitUntilTableExists({ client, minDelay: 1, maxWaitTime: 30 }, { TableName: tableName });
  return { tableName, sdk };
}
