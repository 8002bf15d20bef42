/**
 * The shared parts of the alarm proofs: a deployment, faults, and expectations about the alarms of
 * the synthesised template.
 */
import { expect } from "vitest";
import { RotationError } from "../../lambda/errors.ts";
import type { DrainWatch, Outcome, Policy } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, type World, type WorldOptions } from "../world.ts";
import { Running } from "./alarms-deployment.ts";
import { templateOf, watchedIn } from "./alarms-stack.ts";
import type { Watched } from "./cloudwatch.ts";

export const names = {
  tableName: "keyturn",
  functionName: "rotate",
  queueName: "letters",
  refusedUses: { functionName: "collect", queueName: "refused-uses" },
};

const synthesised = new Map<number, Watched[]>();

/** A new deployment, with `minutes` between two runs. */
export function deploy(world: World, minutes = 5, refusalsWatch: DrainWatch = "none"): Running {
  const alarms = synthesised.get(minutes) ?? watchedIn(templateOf(["One"], minutes), "One", names);
  synthesised.set(minutes, alarms);
  return new Running(world, alarms, names, { intervalMs: minutes * minuteMs, refusalsWatch });
}

/** A deployment one day after its creation. */
export async function aDeployment(options: WorldOptions = {}, minutes = 5): Promise<Running> {
  const running = deploy(await aWorld(options), minutes);
  await running.pass(dayMs + minuteMs);
  expect(running.inAlarm("HeartbeatMissing")).toBe(false);
  return running;
}

export function nowOf({ world }: Running): number {
  return world.clock.nowMs();
}

/**
 * The alarm went on within two of its periods and stayed on; of the others, only `others` went on.
 */
export function expectAlarm(
  running: Running,
  name: string,
  sinceMs: number,
  others: string[] = [],
): void {
  const atMs = running.wentOffAtMs(name, sinceMs);
  expect(atMs - sinceMs, `${name} went on`).toBeLessThanOrEqual(2 * running.periodMs(name));
  expect(running.changes(name, sinceMs), `${name} is steady`).toBe(1);
  expect(running.inAlarm(name)).toBe(true);
  expect(running.alarmed(sinceMs)).toEqual([name, ...others].sort());
}

/** These alarms are off after two periods and the time until the next pass. */
export async function expectQuiet(running: Running, ...these: string[]): Promise<void> {
  const longestMs = Math.max(...these.map((name) => running.periodMs(name)));
  await running.pass(2 * longestMs + 90 * minuteMs);
  expect(these.filter((name) => running.inAlarm(name))).toEqual([]);
}

export type Fault = (
  proceed: () => Promise<unknown>,
  method: string,
  input: unknown[],
) => Promise<unknown> | undefined;

/** Applies the fault to calls of this port; undefined lets a call proceed. */
export function breaks(world: World, port: string, fault: Fault): void {
  world.intercept = (through, method, input, proceed) =>
    (through === port ? fault(proceed, method, input) : undefined) ?? proceed();
}

export function throttled(method: string): Promise<unknown> {
  const refused: Outcome = { kind: "refused", refusal: "Throttled", message: "Rate exceeded" };
  if (method === "change") return Promise.resolve(refused);
  return Promise.reject(new RotationError("THROTTLED", "Rate exceeded", undefined));
}

export function tableFailed(): Promise<unknown> {
  return Promise.reject(new RotationError("TABLE_FAILED", "InternalServerError", undefined));
}

/** Applies the fault only to the first `count` calls. */
export function first(count: number, fault: Fault): Fault {
  let left = count;
  return (...call) => {
    left -= 1;
    return left >= 0 ? fault(...call) : undefined;
  };
}

export function manyKeys(count: number): Record<string, object> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`alias/k${index}`, {}]));
}

export const quick: Partial<Policy> = {
  cryptoperiodMs: 3 * dayMs,
  leadMs: dayMs,
  drain: { atLeastMs: 2 * hourMs, quietForMs: 6 * hourMs, evidence: "required" },
  soakMs: hourMs,
};
