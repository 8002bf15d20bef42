/** The CDK CLI on the emulator, and the removal of its and CloudFormation's leftovers. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { EventBridge } from "@aws-sdk/client-eventbridge";
import { projectFolder } from "../../infra/bundle.ts";
import { emulatorEndpoint, type EmulatorSdk } from "./run.ts";
import { askJson, askQuery, askRest } from "./service.ts";

const cli = join(projectFolder, "node_modules/aws-cdk/bin/cdk");

/** Runs `cdk` as an operator does; on failure, throws its output. */
export async function cdk(
  sdk: EmulatorSdk,
  home: string,
  environment: Record<string, string>,
  ...args: string[]
): Promise<void> {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: projectFolder,
    env: {
      PATH: process.env.PATH,
      CI: "1",
      NO_COLOR: "1",
      // It caches accounts by access key; the cache must not have ours.
      HOME: home,
      CDK_HOME: home,
      AWS_ENDPOINT_URL: emulatorEndpoint(),
      AWS_REGION: sdk.region,
      AWS_ACCESS_KEY_ID: sdk.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: sdk.credentials.secretAccessKey,
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  if (child.exitCode !== 0) throw new Error(`cdk ${args.join(" ")}\n${out}${err}`);
}

type Logs = {
  logGroups?: { logGroupName: string }[];
  events?: { message: string }[];
};

function askLogs(sdk: EmulatorSdk, operation: string, input: object): Promise<Logs> {
  return askJson<Logs>(sdk, "logs", `Logs_20140328.${operation}`, input);
}

async function logGroups(sdk: EmulatorSdk): Promise<string[]> {
  const { logGroups: groups = [] } = await askLogs(sdk, "DescribeLogGroups", {});
  return groups.map(({ logGroupName }) => logGroupName);
}

/** The log of the account's functions. */
export async function logOf(sdk: EmulatorSdk): Promise<string[]> {
  const lines: string[] = [];
  for (const logGroupName of await logGroups(sdk)) {
    const { events = [] } = await askLogs(sdk, "FilterLogEvents", { logGroupName });
    lines.push(...events.map(({ message }) => message));
  }
  return lines;
}

/** The construct retains the table and the log when the stack is deleted, as in production. */
export async function removeRetained(sdk: EmulatorSdk): Promise<void> {
  const tables = new DynamoDB(sdk);
  for (const TableName of (await tables.listTables()).TableNames ?? []) {
    await tables.updateTable({ TableName, DeletionProtectionEnabled: false });
    await tables.deleteTable({ TableName });
  }
  tables.destroy();
  for (const logGroupName of await logGroups(sdk)) {
    await askLogs(sdk, "DeleteLogGroup", { logGroupName });
  }
}

/** The functions of the account, and the rules that start them. */
export async function whatRuns(sdk: EmulatorSdk): Promise<unknown> {
  const lambda = await askRest(sdk, "lambda", "GET", "/2015-03-31/functions");
  const bus = new EventBridge(sdk);
  const { Rules = [] } = await bus.listRules();
  bus.destroy();
  const { Functions } = JSON.parse(lambda) as { Functions: { FunctionName: string }[] };
  return {
    functions: Functions.map(({ FunctionName }) => FunctionName),
    rules: Rules.map(({ ScheduleExpression }) => ScheduleExpression),
  };
}

/** `cdk bootstrap` has no inverse: deletes its stack, then its bucket with its contents. */
export async function removeToolkit(sdk: EmulatorSdk): Promise<void> {
  const stack = { Action: "DeleteStack", Version: "2010-05-15", StackName: "CDKToolkit" };
  await askQuery(sdk, "cloudformation", stack);
  const bucket = `cdk-hnb659fds-assets-${sdk.credentials.accessKeyId}-${sdk.region}`;
  const listing = await askRest(sdk, "s3", "GET", `/${bucket}?versions`);
  for (const [, key, version] of listing.matchAll(/<Key>(.+?)<\/Key>.*?<VersionId>(.+?)</gs)) {
    await askRest(sdk, "s3", "DELETE", `/${bucket}/${key}?versionId=${version}`);
  }
  await askRest(sdk, "s3", "DELETE", `/${bucket}`);
}
