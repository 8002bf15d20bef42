import { expect, test } from "vitest";
import { onCall } from "../faults.ts";
import { hourMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";

/** Version 1 is pending deletion, and its date is near. */
async function beforeTheDate(): Promise<{ world: World; deletionAtMs: number }> {
  const world = await aWorld({ policy: { retire: "delete" } });
  await world.passDays(83 + 31 + 14 + 25);
  const deletionAtMs = (await world.record()).versions[0]?.deletionAtMs ?? 0;
  return { world, deletionAtMs };
}

async function numbers(world: World): Promise<number[]> {
  return (await world.record()).versions.map(({ number }) => number);
}

test("a rollback to a version after its deletion date is rejected", async () => {
  const { world, deletionAtMs } = await beforeTheDate();
  world.clock.moveTo(deletionAtMs + 1000);
  await world.asks("rollback", { version: 2 });
  await world.pass(hourMs);
  expect(await world.findings()).toEqual(["REQUEST_REJECTED"]);
  expect(await numbers(world)).toEqual([2]);
  expect((await world.record()).rotations).toEqual([]);
});

test("keyturn reports a version that KMS deletes during the rollback, and the remedy works", async () => {
  const { world, deletionAtMs } = await beforeTheDate();
  const active = await world.targetOf("alias/orders");
  world.clock.moveTo(deletionAtMs - 1000);
  onCall(world, "CancelKeyDeletion", (proceed) => {
    world.clock.moveTo(deletionAtMs + 1000);
    return proceed();
  });
  await world.asks("rollback", { version: 2 });
  await world.pass(hourMs);
  const deleted = (await world.record()).findings.find(({ code }) => code === "VERSION_DELETED");
  expect(deleted?.next).toBe("npx keyturn reconcile alias/orders");

  await world.asks("rollback", { version: 1 });
  await world.pass(hourMs);
  expect(await world.findings()).toEqual(["HELD_AFTER_ROLLBACK", "VERSION_DELETED"]);
  expect(await world.targetOf("alias/orders")).toBe(active);

  // The remedy in docs/findings.md: the record drops the version, and rotations continue.
  await world.asks("resume");
  await world.asks("reconcile");
  await world.asks("reconcile", { proposal: (await world.record()).proposal?.revision });
  await world.passDays(1);
  expect(await world.findings()).toEqual([]);
  expect(await numbers(world)).toEqual([2]);
  await world.passDays(60);
  expect(await numbers(world)).toEqual([2, 3]);
});
