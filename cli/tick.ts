/**
 * `npm run tick`: the deployed function's code, once, as a process of its own, against any
 * endpoints. For driving keyturn from outside: in tests, in emulators, and for killing it.
 */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Context } from "aws-lambda";
import { ConfigurationError } from "../lambda/config.ts";
import { readEnvironment } from "../lambda/environment.ts";
import { createFunction } from "../lambda/function.ts";
import type { Clock } from "../lambda/ports.ts";

const usage = `npm run tick -- --table NAME --config FILE [--endpoint-url URL] [--now MS]
                [--timeout-ms MS] [--discovery tagging|walk] [--quota-share 0.4] [--event FILE]

  --table         the state table (or KEYTURN_TABLE)
  --config        the configuration (or KEYTURN_CONFIG)
  --endpoint-url  where every AWS service is reached (or AWS_ENDPOINT_URL)
  --now           what the run takes for the present, in epoch milliseconds
  --timeout-ms    how long the run may take, as a function's timeout (default 60000)
  --discovery     how keys are found by tag; "walk" where the tagging API is not served
  --quota-share   which share of each KMS request quota it may spend, up to 1
  --event         what the function is invoked with, as JSON: a use attempt that CloudTrail tells of;
                  "-" reads it from stdin (default: an empty event, as from the schedule)
The last line on stdout is the run's summary, as JSON. Exit 0: the run ended; 1: it failed; 2: usage.`;

const { values } = parseArgs({
  options: {
    table: { type: "string" },
    config: { type: "string" },
    "endpoint-url": { type: "string" },
    now: { type: "string" },
    "timeout-ms": { type: "string", default: "60000" },
    discovery: { type: "string" },
    "quota-share": { type: "string" },
    event: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

class UsageError extends Error {}

/** Starts where `--now` says, and goes on as time does. */
function clockFrom(nowMs: number): Clock {
  const offsetMs = nowMs - Date.now();
  return { nowMs: () => Date.now() + offsetMs, sleep: (ms) => sleep(ms) };
}

function wholeNumber(name: string, given: string): number {
  if (/^\d+$/.test(given)) return Number(given);
  throw new UsageError(
    `--${name}: got ${JSON.stringify(given)}, expected a whole number of milliseconds`,
  );
}

/** The event as the file, or stdin, has it. */
async function eventFrom(path: string | undefined): Promise<unknown> {
  if (path === undefined) return {};
  try {
    return JSON.parse(path === "-" ? await text(process.stdin) : await readFile(path, "utf8"));
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--event: got ${got}, expected a file that holds JSON`);
  }
}

/** Emulators want a Region and credentials, and any will do; AWS itself gets none from here. */
function standInFor(endpointUrl: string): void {
  process.env.AWS_ENDPOINT_URL = endpointUrl;
  if (!["127.0.0.1", "localhost", "[::1]"].includes(new URL(endpointUrl).hostname)) return;
  process.env.AWS_REGION ??= "us-east-1";
  process.env.AWS_ACCESS_KEY_ID ??= "keyturn";
  process.env.AWS_SECRET_ACCESS_KEY ??= "keyturn";
}

async function tick(): Promise<void> {
  const timeoutMs = wholeNumber("timeout-ms", values["timeout-ms"]);
  const event = await eventFrom(values.event);
  const nowMs = values.now === undefined ? Date.now() : wholeNumber("now", values.now);
  if (values["endpoint-url"] !== undefined) standInFor(values["endpoint-url"]);
  const environment = readEnvironment({
    ...process.env,
    KEYTURN_TABLE: values.table ?? process.env.KEYTURN_TABLE,
    KEYTURN_CONFIG: values.config ?? process.env.KEYTURN_CONFIG,
    KEYTURN_DISCOVERY: values.discovery ?? process.env.KEYTURN_DISCOVERY,
    KEYTURN_QUOTA_SHARE: values["quota-share"] ?? process.env.KEYTURN_QUOTA_SHARE,
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
}

if (values.help) {
  console.log(usage);
} else {
  try {
    await tick();
  } catch (error) {
    const known = error instanceof ConfigurationError || error instanceof UsageError;
    console.error(known ? error.message : error);
    if (known) console.error(usage);
    process.exitCode = known ? 2 : 1;
  }
}
