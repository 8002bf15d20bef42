/**
 * The deployed function with an accelerated clock: between runs, time passes `KEYTURN_TIMES` as fast
 * from `KEYTURN_SINCE_MS` on; within a run, at normal speed. A schedule that fires every minute then
 * fires once a day, and a test reaches the end of a cryptoperiod. The rest is `lambda/handler.ts`.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "aws-lambda";
import { readEnvironment } from "../lambda/configuration/environment.ts";
import { createFunction } from "../lambda/function.ts";

const sinceMs = Number(process.env.KEYTURN_SINCE_MS);
const times = Number(process.env.KEYTURN_TIMES);

/** How far the function's clock is ahead of real time; constant within a run. */
let aheadMs = 0;

const run = createFunction(readEnvironment(process.env), {
  clock: { nowMs: () => Date.now() + aheadMs, sleep: (ms) => sleep(ms) },
  chance: { next: () => Math.random(), id: () => randomUUID() },
});

export const handler = (event: unknown, context: Context): Promise<unknown> => {
  aheadMs = (Date.now() - sinceMs) * (times - 1);
  return run(event, context);
};
