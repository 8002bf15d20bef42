import { describe, expect, test } from "vitest";
import { minuteMs } from "../fixtures.ts";
import type { World } from "../world.ts";
import { recorded } from "./recorded.ts";
import { alias, aliases, taken } from "./taken.ts";

/** An operator only resumes and approves evidence. */
async function passWithOperator(world: World, days: number): Promise<void> {
  for (let day = 0; day < days; day += 20) {
    if ((await world.record()).holds.length > 0) await world.asks("resume");
    const { findings } = await world.record();
    const required = findings.find(({ code }) => code === "APPROVAL_REQUIRED");
    const [evidence] = /\b[0-9a-f]{64}\b/.exec(required?.observed ?? "") ?? [];
    if (evidence !== undefined) await world.asks("approve", { version: 1, evidence });
    await world.passDays(20);
  }
}

describe.each(recorded)("a managed key that an earlier version left in %s", (_, moment) => {
  test("completes its rotation and the next one, without a finding", async () => {
    const world = await taken(moment);
    const { versions } = moment.stored.record;
    world.afterRun = async () => {
      for (const name of aliases) {
        expect(await world.stateOf(await world.targetOf(name))).toBe("Enabled");
      }
    };
    await world.passDays(1);
    await passWithOperator(world, 420);
    const record = await world.record();
    expect(record.schema).toBe(3);
    expect(record.findings).toEqual([]);
    expect(record.lastNumber).toBeGreaterThan(Math.max(1, ...versions.map((one) => one.number)));
    const targets = await Promise.all(aliases.map((name) => world.targetOf(name)));
    expect(new Set(targets).size).toBe(1);
    expect(world.history()).toContain("completed");
    expect(world.errors).toEqual([]);
  });

  test("can be rolled back, if it has a version to roll back to", async () => {
    const world = await taken(moment);
    await world.pass(30 * minuteMs);
    if ((await world.record()).holds.some(({ kind }) => kind === "pause")) {
      await world.asks("resume");
    }
    const { versions, rotations } = await world.record();
    const active = versions.find(({ state }) => state === "active");
    const under = rotations.find(({ direction, step }) => direction === "back" && step !== "drain");
    const fresh = versions.find(({ state }) => state === "pending-activation");
    const earlier = versions.find(({ number }) => number < (active?.number ?? 0));
    await world.asks("rollback", { version: (fresh ?? active)?.number ?? 1 });
    await world.passDays(1);
    const goal =
      versions.find(({ number }) => number === under?.to) ??
      (fresh === undefined ? (earlier ?? active) : active);
    expect(await world.targetOf(alias)).toBe(goal?.keyId);
    expect(await world.stateOf(goal?.keyId ?? "")).toBe("Enabled");
    expect(world.errors).toEqual([]);
  });
});
