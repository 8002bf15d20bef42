/** Refused uses of keys that are not managed, at a high rate, before the deployed second function; counted. */
import type { Context } from "aws-lambda";
import { createRefusalsFunction } from "../../lambda/refusals/function.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import { startEmbeddedAws } from "../../embedded-aws/embedded-aws.ts";
import { account, region } from "../inbound/cloudtrail.ts";
import { deniedUse, incorrectKey, startMs } from "./collecting.ts";
import { poll, queued, type EventSource, type QueuedMessage } from "./queue.ts";

export type Load = { seconds: number; perSecond: number; keys: number; source: EventSource };

export type Figures = {
  events: number;
  invocations: number;
  /** On average, in the busiest ten seconds. */
  mostPerSecond: number;
  largestPayloadBytes: number;
  /** GetItem calls; and all others. */
  reads: number;
  otherRequests: number;
  lines: number;
  failed: number;
  /** Of one event: Lambda's runtime parses the payload, and the function does the rest. */
  cpuUs: { runtime: number; function: number };
};

const tableName = "keyturn";
const context = {
  functionName: "keyturn-refusals",
  invokedFunctionArn: `arn:aws:lambda:${region}:${account}:function:keyturn-refusals`,
} as Context;

export async function measure({ seconds, perSecond, keys, source }: Load): Promise<Figures> {
  const clock = new SimClock({ startMs });
  const aws = await startEmbeddedAws({ clock, quotas: "off" });
  // Log lines and metrics then go through the console.
  const toConsole = { POWERTOOLS_DEV: "true", POWERTOOLS_METRICS_DISABLED: "false" };
  const undo = environmentOf({ ...aws.env, ...toConsole });
  const log = quietConsole();
  try {
    await aws.createStateTable(tableName);
    aws.resetCalls();
    const handler = createRefusalsFunction({ tableName, aliases: {}, acceptedRefusals: [] }, () =>
      clock.nowMs(),
    );
    const second = messagesOf(perSecond, keys);
    const cpu = { runtime: 0, function: 0 };
    const figures = { invocations: 0, failed: 0, largestPayloadBytes: 0 };
    const times: number[] = [];
    await poll(
      source,
      seconds,
      () => second,
      async (payload, at) => {
        clock.moveTo(Math.max(clock.nowMs(), startMs + at * 1000));
        figures.invocations += 1;
        times.push(at);
        figures.largestPayloadBytes = Math.max(figures.largestPayloadBytes, payload.length);
        const event = await timed(cpu, "runtime", () => JSON.parse(payload) as unknown);
        const answer = await timed(cpu, "function", () => handler(event, context));
        figures.failed += answer.batchItemFailures.length;
      },
    );
    const { GetItem: reads = 0, ...others } = aws.calls().dynamodb;
    const events = seconds * perSecond;
    return {
      ...figures,
      events,
      mostPerSecond: mostPerSecond(times),
      reads,
      otherRequests: Object.values(others).reduce((sum, count) => sum + count, 0),
      lines: log.lines(),
      cpuUs: { runtime: cpu.runtime / events, function: cpu.function / events },
    };
  } finally {
    log.restore();
    undo();
    await aws.close();
  }
}

/** Denials, and calls that name an alias for data of another key, of keys that nobody manages. */
function messagesOf(count: number, keys: number): QueuedMessage[] {
  return Array.from({ length: count }, (_, number) => {
    const key = number % keys;
    const keyId = `${String(key).padStart(8, "0")}-12ab-34cd-56ef-1234567890ab`;
    const isByAlias = key % 5 === 0;
    const event = isByAlias
      ? incorrectKey(`alias/others-${key}`)
      : deniedUse({ keyId, by: `role-${number % 500}` });
    return queued(JSON.stringify(event), number);
  });
}

async function timed<T>(
  cpu: Figures["cpuUs"],
  part: keyof Figures["cpuUs"],
  act: () => T | Promise<T>,
): Promise<T> {
  const before = process.cpuUsage();
  const result = await act();
  const { user, system } = process.cpuUsage(before);
  cpu[part] += user + system;
  return result;
}

function mostPerSecond(times: number[]): number {
  let most = 0;
  for (const [index, from] of times.entries()) {
    let end = index;
    while ((times[end] ?? Infinity) < from + 10) end += 1;
    most = Math.max(most, end - index);
  }
  return most / 10;
}

function environmentOf(env: Record<string, string>): () => void {
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}

function quietConsole(): { lines: () => number; restore: () => void } {
  const levels = ["debug", "log", "info", "warn", "error"] as const;
  const before = { ...console };
  let lines = 0;
  for (const level of levels) console[level] = () => void (lines += 1);
  return { lines: () => lines, restore: () => void Object.assign(console, before) };
}
