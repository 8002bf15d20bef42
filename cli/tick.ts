/**
 * `npm run tick`: runs the code of the deployed function once, in its own process, against any
 * endpoints. Tests, emulators and the kill sweep use it.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "aws-lambda";
import { createTable } from "../lambda/aws/dynamodb.ts";
import { ConfigurationError } from "../lambda/configuration/configuration.ts";
import { readEnvironment } from "../lambda/configuration/environment.ts";
import { describeError } from "../lambda/errors.ts";
import { createFunction } from "../lambda/function.ts";
import type { Clock } from "../lambda/ports.ts";
import { isoOf } from "../lambda/workflow/model/iso.ts";
import { watchOutput } from "./terminal/output.ts";
import {
  readEvent,
  readOptions,
  usage,
  UsageError,
  type Options,
} from "./terminal/tick-options.ts";

/** As the usage lists them. */
const exitCodes = { failed: 1, usage: 2 };

/** The items of the index before the first due time are configurations: one or two. */
const duePage = 10;

/** Starts at `--now` and advances in real time. */
function clockFrom(nowMs: number): Clock {
  const offsetMs = nowMs - Date.now();
  return { nowMs: () => Date.now() + offsetMs, sleep: (ms) => sleep(ms) };
}

/** An emulator needs a Region and credentials of any value. AWS itself gets none from here. */
function standInFor(endpointUrl: string): void {
  process.env.AWS_ENDPOINT_URL = endpointUrl;
  if (!["127.0.0.1", "localhost", "[::1]"].includes(new URL(endpointUrl).hostname)) return;
  process.env.AWS_REGION ??= "us-east-1";
  process.env.AWS_ACCESS_KEY_ID ??= "keyturn";
  process.env.AWS_SECRET_ACCESS_KEY ??= "keyturn";
}

async function tick(options: Options): Promise<void> {
  const { table, config, discovery, quotaShare, endpointUrl, timeoutMs } = options;
  const event = await readEvent(options.event);
  const { nowMs = Date.now() } = options;
  if (endpointUrl !== undefined) standInFor(endpointUrl);
  const environment = readEnvironment({
    ...process.env,
    KEYTURN_TABLE: table,
    KEYTURN_CONFIG: config,
    KEYTURN_DISCOVERY: discovery,
    KEYTURN_QUOTA_SHARE: quotaShare,
  });
  const clock = clockFrom(nowMs);
  const endsAtMs = clock.nowMs() + timeoutMs;
  const chance = { next: () => Math.random(), id: () => randomUUID() };
  const context = {
    functionName: "keyturn-tick",
    memoryLimitInMB: "0",
    invokedFunctionArn: "tick",
    awsRequestId: randomUUID(),
    getRemainingTimeInMillis: () => endsAtMs - clock.nowMs(),
  } as Context;
  const result = await createFunction(environment, { clock, chance })(event, context);
  console.log(JSON.stringify(result));
  if (result.outcome === "nothing-due") await noteNextDue(environment.tableName, options);
}

/** Most often, the run used another clock than the operator expected. */
async function noteNextDue(tableName: string, { nowMs }: Options): Promise<void> {
  const now =
    nowMs === undefined
      ? `now ${isoOf(Date.now())} by this machine's clock; --now sets the time`
      : `now ${isoOf(nowMs)} by --now`;
  const nextMs = await nextDueMs(tableName).catch(() => undefined);
  const due = nextMs === undefined ? "nothing is due" : `nothing is due before ${isoOf(nextMs)}`;
  console.error(`tick: ${due} (${now})`);
}

async function nextDueMs(tableName: string): Promise<number | undefined> {
  const { items } = await createTable(tableName).due(Number.MAX_SAFE_INTEGER, duePage);
  const [next] = items.filter((item) => item.kind !== "configuration");
  return next?.dueAtMs;
}

// A run continues to its end even if its log cannot be written.
watchOutput("tick", process, (end) => {
  if (end === "lost") process.exitCode ??= exitCodes.usage;
});
try {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options.help) console.log(usage);
  else await tick(options);
} catch (error) {
  if (error instanceof ConfigurationError || error instanceof UsageError) {
    console.error(`tick: ${error.message}`);
    console.error("(see npm run tick -- --help)");
    process.exitCode = exitCodes.usage;
  } else {
    console.error(`tick: the run failed: ${describeError(error).replaceAll(/\s*\n\s*/g, " ")}`);
    process.exitCode = exitCodes.failed;
  }
}
