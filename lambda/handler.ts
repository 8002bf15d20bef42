/**
 * The Lambda entry point. A malformed environment or configuration ends it here, before any call.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { readEnvironment } from "./configuration/environment.ts";
import { createFunction } from "./function.ts";

export const handler = createFunction(readEnvironment(process.env), {
  clock: { nowMs: () => Date.now(), sleep: (ms) => sleep(ms) },
  chance: { next: () => Math.random(), id: () => randomUUID() },
});
