/**
 * The simulated worlds: keyturn keeps every invariant, the naive cron job does not, and the
 * checkers work.
 */
import { describe, expect, test } from "vitest";
import { campaign } from "../../sim/campaign.ts";
import type { Violation } from "../../sim/checkers/checker.ts";
import { simulate, shrink, replay } from "../../sim/history.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { scenarioNamed, scenarios } from "../../sim/scenarios.ts";
import { insideEnvelope, noFaults, type Envelope } from "../../sim/world/fault-plan.ts";
import type { RotatorName } from "../../sim/world/options.ts";
import { hourMs, minuteMs } from "../fixtures.ts";
import { isFull } from "../sizes.ts";

const names = Object.keys(scenarios);
const assumptions = ["overlapping-runs", "slow-run", "outside-change", "half-done"];

/** The first violation in these seeds. */
async function firstViolation(
  scenario: Scenario,
  rotator: RotatorName,
  seeds: number,
): Promise<(Violation & { seed: number; faultCount: number }) | undefined> {
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations, faultCount } = await simulate({ seed, scenario, rotator });
    const [first] = violations;
    if (first !== undefined) return { ...first, seed, faultCount };
  }
  return undefined;
}

describe("keyturn", () => {
  test.each(names)("keeps every invariant in the world %s", async (name) => {
    expect(await firstViolation(scenarioNamed(name), "keyturn", isFull ? 15 : 1)).toBeUndefined();
  });

  test("keeps every invariant in many seeds of everything, with every fault", async () => {
    const plan = { rotator: "keyturn" as const, seedStart: 1000, threads: 1 };
    const { failures, faults } = await campaign({
      ...plan,
      scenario: "everything",
      budgetMs: Infinity,
      seeds: isFull ? 600 : 16,
    });
    expect(failures).toEqual([]);
    expect(Object.keys(faults).sort()).toEqual(Object.keys(noFaults).sort());
  });
});

describe("the naive cron job", () => {
  test("is a good design in the calm world", async () => {
    expect(await firstViolation(scenarioNamed("calm"), "naive", 200)).toBeUndefined();
  });

  test.each(assumptions)("is caught in the world %s", async (name) => {
    expect(await firstViolation(scenarioNamed(name), "naive", 200)).toBeDefined();
  });
});

/** What the simulation found, by seed. */
const found: [title: string, scenario: string, seed: number][] = [
  [
    "a version that returns hours after its rollback request may soon have a successor",
    "planned",
    1795690281,
  ],
  [
    "a rollback just after a DisableKey moves no alias to a version with a stale read of Enabled",
    "collisions",
    1795979428,
  ],
  ["a key whose copied tag an auto-tagger changed at once is no orphan", "everything", 1796063549],
  ["a clone that somebody made of a new key, hours later, is no version", "everything", 1796105672],
  [
    "a refusal still blocks a deletion after a rollback to the version that refused",
    "everything",
    1796401236,
  ],
  ["a version from before keyturn may return, and soon have a successor", "collisions", 1795978912],
  [
    "a reader by the alias makes the managed key due once it needs a retired version",
    "read-by-alias",
    1796016203,
  ],
  [
    "a late write of a run that lost its claim erases no suspicion recorded since",
    "everything",
    1796910090,
  ],
  [
    "a rollback of a version that no alias had reached ends no report of a lock-out",
    "everything",
    1797110625,
  ],
];

test.each(found)("%s", async (_title, scenario, seed) => {
  const { violations } = await simulate({ seed, scenario: scenarioNamed(scenario) });
  expect(violations).toEqual([]);
});

test.each([
  ["while the next move is under way", 1247],
  ["after a rollback to the version that it is about", 465],
])("a lock-out stays reported %s", async (_when, seed) => {
  const { violations } = await simulate({ seed, scenario: scenarioNamed("everything") });
  expect(violations).toEqual([]);
});

describe("outside the envelope the checkers find a violation", () => {
  const outside: Record<string, { changes: Partial<Envelope>; scenario: string; seeds: number }> = {
    "a request may take an hour": {
      changes: { flightMs: hourMs },
      scenario: "slow-run",
      seeds: 200,
    },
    "clocks differ by 40 minutes": {
      changes: { skewMs: 20 * minuteMs },
      scenario: "everything",
      seeds: 100,
    },
    "a run outlives its deadline": {
      changes: { deadlinesHold: false, stallMs: hourMs },
      scenario: "slow-run",
      seeds: 200,
    },
  };
  test.each(Object.entries(outside))("%s", async (_, { changes, scenario: name, seeds }) => {
    const scenario = { ...scenarioNamed(name), envelope: { ...insideEnvelope, ...changes } };
    expect(await firstViolation(scenario, "keyturn", seeds)).toBeDefined();
  });
});

describe("a history", () => {
  const history = { seed: 7, scenario: scenarioNamed("everything") };

  test("has the same trace every time, byte for byte", async () => {
    const [one, other] = [await replay(history), await replay(history)];
    expect(one.lines.length).toBeGreaterThan(1000);
    expect(other.traceHash).toBe(one.traceHash);
    expect((await replay({ ...history, seed: 8 })).traceHash).not.toBe(one.traceHash);
  });

  test("does not depend on copies of the table's values", async () => {
    const reported = await replay({ ...history, tableCopies: true });
    expect(reported.traceHash).toBe((await replay(history)).traceHash);
  });

  test("that fails still fails with the faults that shrinking leaves", async () => {
    const scenario = scenarioNamed("half-done");
    const failed = await firstViolation(scenario, "naive", 200);
    if (failed === undefined) throw new Error("the naive cron job was not caught");
    const { seed, faultCount } = failed;
    const shrunk = await shrink({ seed, scenario, rotator: "naive" }, failed, faultCount);
    expect(shrunk.violation.invariant).toBe(failed.invariant);
    expect(shrunk.faultsMax).toBeLessThanOrEqual(faultCount);
    expect(shrunk.lines.at(-1)).toContain(`VIOLATION ${failed.invariant}`);
  });
});
