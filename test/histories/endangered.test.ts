/** The active version is about to be deleted by an external actor: no other version goes out of use. */
import { expect, test } from "vitest";
import { Approver } from "../approver.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";

const policy = {
  ...{ cryptoperiodMs: 20 * dayMs, leadMs: 2 * dayMs, soakMs: 25 * dayMs, deletionWindowDays: 30 },
  ...{ retire: "delete" as const, approval: "delete" as const },
  drain: { atLeastMs: 2 * dayMs, quietForMs: dayMs, evidence: "required" as const },
};

async function passUntil(world: World, isSo: () => Promise<boolean>): Promise<void> {
  for (let hour = 0; hour < 80 * 24 && !(await isSo()); hour++) await world.pass(hourMs);
  expect(await isSo()).toBe(true);
}

/** Version 1 waits for an approval of its deletion; an external actor then schedules that of the active version. */
async function endangered(): Promise<World> {
  const world = await aWorld({ policy, approves: false });
  await world.pass(dayMs);
  await passUntil(world, async () => (await world.findings()).includes("APPROVAL_REQUIRED"));
  const KeyId = await world.targetOf("alias/orders");
  await world.ask("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
  return world;
}

async function approve(world: World): Promise<void> {
  const { versions, findings } = await world.record();
  for (const { kind, ...fields } of new Approver().requests(versions, findings)) {
    world.request(kind, fields);
  }
}

test("not where the event was lost, and the operator approves the deletion of an old version", async () => {
  const world = await endangered();
  await approve(world);
  world.calls.length = 0;
  await world.pass(30 * minuteMs);
  expect(world.calls).not.toContain("ScheduleKeyDeletion");
  expect(await world.findings()).toContain("DELETION_SCHEDULED_BY_OTHERS");
});

test("not in the minutes after a rollback, in which no inspection takes place", async () => {
  const world = await endangered();
  await world.pass(25 * hourMs);
  await approve(world);
  world.calls.length = 0;
  await world.pass(2 * hourMs);
  const active = (await world.record()).versions.find(({ state }) => state === "active");
  world.request("rollback", { version: active?.number });
  await world.tick();
  expect(world.calls).toContain("EnableKey");
  expect(world.calls).not.toContain("ScheduleKeyDeletion");
  expect(await world.findings()).toContain("DELETION_SCHEDULED_BY_OTHERS");
});
