import { describe, expect, test } from "vitest";
import { RotationError } from "../../lambda/errors.ts";
import type { Outcome } from "../../lambda/workflow/model/types.ts";
import { dayMs, minuteMs } from "../fixtures.ts";
import type { Intercept } from "../faults.ts";
import { aWorld, Died, type World } from "../world.ts";
import { sample } from "../sizes.ts";

const alias = "alias/orders";
const historyDays = 123 + 30 + 14 + 30 + 12;

/** The faults of one call that passes a port. */
const faults = {
  "the process dies before it": async () => {
    await Promise.resolve();
    throw new Died();
  },
  "the process dies after it": async (proceed: () => Promise<unknown>) => {
    await proceed();
    throw new Died();
  },
  "it fails": (_proceed: () => Promise<unknown>, port: string, method: string) => {
    return noAnswer(port, method);
  },
  "its answer is lost": async (proceed: () => Promise<unknown>, port: string, method: string) => {
    await proceed();
    return noAnswer(port, method);
  },
  "it lands after the end of its run": (
    proceed: () => Promise<unknown>,
    port: string,
    method: string,
    world: World,
  ) => {
    if (method !== "change") return noAnswer(port, method);
    world.underWay.push({ atMs: world.clock.nowMs() + 5 * minuteMs, land: proceed });
    return noAnswer(port, method);
  },
};

type Fault = (typeof faults)[keyof typeof faults];

function noAnswer(port: string, method: string): Promise<Outcome> {
  if (method === "change") return Promise.resolve({ kind: "unknown", message: "no answer" });
  const code = port === "table" ? "TABLE_FAILED" : "KMS_FAILED";
  return Promise.reject(new RotationError(code, `${port}.${method} gave no answer`, undefined));
}

/** Breaks the call with that number; a dead process makes no call until its run ends. */
function breakCall(world: World, number: number, fault: Fault): Intercept {
  let count = 0;
  let dead = false;
  return async (port, method, _input, proceed) => {
    if (method === "due") dead = false;
    if (dead) throw new Died();
    count += 1;
    if (count !== number) return proceed();
    try {
      return await fault(proceed, port, method, world);
    } catch (error) {
      dead = error instanceof Died;
      throw error;
    }
  };
}

/** A history from enrolment until the first version is deleted. */
async function play(intercept: (world: World) => Intercept): Promise<World> {
  const world = await aWorld({ policy: { retire: "delete", cryptoperiodMs: 130 * dayMs } });
  world.intercept = intercept(world);
  world.afterRun = async () => {
    expect(await world.stateOf(await world.targetOf(alias))).toBe("Enabled");
  };
  await world.passDays(historyDays);
  return world;
}

/** The numbers of the calls, without those of runs that make the same calls as an earlier one. */
async function callsOfDifferentRuns(): Promise<number[]> {
  const runs: { calls: string; numbers: number[] }[] = [];
  let count = 0;
  await play(() => (port, method, _input, proceed) => {
    if (method === "due") runs.push({ calls: "", numbers: [] });
    const run = runs.at(-1);
    if (run === undefined) throw new Error(`${method} before the first run`);
    run.calls += ` ${port}.${method}`;
    run.numbers.push((count += 1));
    return proceed();
  });
  const first = new Map([...runs].reverse().map(({ calls, numbers }) => [calls, numbers]));
  return [...first.values()].flat().sort((a, b) => a - b);
}

async function keysByState(world: World): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const { Keys } = await world.ask<{ Keys: { KeyId: string }[] }>("ListKeys", {});
  for (const { KeyId } of Keys) {
    const state = await world.stateOf(KeyId);
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

async function expectAsIfNothingHappened(world: World): Promise<void> {
  const { versions, rotations, findings, claim, unsettled, extras } = await world.record();
  expect(versions.map(({ number, state }) => [number, state])).toEqual([[2, "active"]]);
  expect(await world.targetOf(alias)).toBe(versions[0]?.keyId);
  expect({ rotations, findings, claim, unsettled }).toEqual({
    rotations: [],
    findings: [],
    claim: undefined,
    unsettled: [],
  });
  expect(extras).toEqual([]);
  expect(await keysByState(world)).toEqual({ Enabled: 1 });
  const journal = world.table.journal(alias);
  expect(journal.map(({ revision }) => revision)).toEqual(journal.map((_, index) => index + 1));
}

describe("a fault of any single call of a history leaves the same end state as no fault", () => {
  test.each(Object.entries(faults))("%s", { timeout: 600_000 }, async (name, fault) => {
    const calls = await callsOfDifferentRuns();
    expect(calls.length).toBeGreaterThan(300);
    // Every second call, and the others with the next fault: `npm run matrix` has every pair.
    const parity = Object.keys(faults).indexOf(name) % 2;
    const broken = calls.filter((_call, index) => index % 2 === parity);
    for (const number of sample(broken, 6)) {
      const world = await play((there) => breakCall(there, number, fault));
      await expectAsIfNothingHappened(world).catch((error: unknown) => {
        throw new Error(`call ${number}: ${world.history().join(" ")}`, { cause: error });
      });
    }
  });
});
