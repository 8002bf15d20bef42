/** A year without a fault, run by run: every key is rotated, and no alarm goes on. */
import { expect, test } from "vitest";
import type { Policy } from "../../lambda/workflow/model/types.ts";
import { aPolicy, dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";
import { deploy } from "./alarms-proof.ts";
import { isFull } from "../sizes.ts";

/** One policy of each common kind. */
const policies: Record<string, Partial<Policy>> = {
  disables: {},
  deletes: { retire: "delete", deletionWindowDays: 7 },
  retains: { retire: "retain", cryptoperiodMs: 30 * dayMs },
  "alias-only": { originate: "alias-only", cryptoperiodMs: 60 * dayMs },
  "in-a-hurry": {
    cryptoperiodMs: 3 * dayMs,
    leadMs: dayMs,
    drain: { atLeastMs: 2 * hourMs, quietForMs: 2 * hourMs, evidence: "required" },
    soakMs: hourMs,
  },
  yearly: { cryptoperiodMs: 300 * dayMs, drain: { ...aPolicy().drain, atLeastMs: 40 * dayMs } },
};

async function aFleet(): Promise<World> {
  const keys = Object.fromEntries(Object.keys(policies).map((name) => [`alias/${name}`, {}]));
  const world = await aWorld({ keys });
  const named = Object.entries(policies).map(([name, changes]) => [
    name,
    aPolicy({ ...changes, name }),
  ]);
  world.configuration = {
    ...world.configuration,
    policies: Object.fromEntries(named) as Record<string, Policy>,
    managedKeys: world.configuration.managedKeys.map((one) => ({
      ...one,
      policy: one.alias.slice("alias/".length),
    })),
  };
  return world;
}

/** A quarter covers each kind of policy but the yearly one, which is not due in it. */
const days = isFull ? 365 : 92;

test("in a year without a fault every key is rotated, and no alarm goes on", async () => {
  const world = await aFleet();
  const running = deploy(world);
  await running.pass(6 * minuteMs);
  const beginMs = world.clock.nowMs();
  for (let day = 0; day < days; day += 1) {
    for (const { alias } of world.configuration.managedKeys) {
      await world.ask("Encrypt", { KeyId: alias, Plaintext: "aXRlbQ==" });
    }
    await running.pass(dayMs);
    await world.approveDeletions();
  }
  expect(running.alarmed(beginMs)).toEqual([]);
  expect(running.invocations).toEqual({ begun: days * 288 + 1, failed: 0 });
  const activations = world.configuration.managedKeys.map(
    ({ alias }) => world.history(alias).filter((event) => event === "activated").length,
  );
  expect(activations).toEqual(isFull ? [4, 4, 15, 6, 181, 1] : [1, 1, 3, 1, 45, 0]);
});
