/**
 * The deployed function with another clock: between its runs time passes `KEYTURN_TIMES` as fast, from
 * the moment `KEYTURN_SINCE_MS` on, and within a run as ever. A schedule that fires every minute then
 * comes once a day, so that a test sees a cryptoperiod end. All else is `lambda/handler.ts`.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "aws-lambda";
import { readEnvironment } from "../lambda/configuration/environment.ts";
import { createFunction } from "../lambda/function.ts";

const sinceMs = Number(process.env.KEYTURN_SINCE_MS);
const times = Number(process.env.KEYTURN_TIMES);

/** How far the function's time is ahead, for as long as a run lasts. */
let aheadMs = 0;

const run = createFunction(readEnvironment(process.env), {
  clock: { nowMs: () => Date.now() + aheadMs, sleep: (ms) => sleep(ms) },
  chance: { next: () => Math.random(), id: () => randomUUID() },
});

export const handler = (event: unknown, context: Context): Promise<unknown> => {
  aheadMs = (Date.now() - sinceMs) * (times - 1);
  return run(event, context);
};
