/** The canaries of refused uses: a run sends them, and the second function hears them. */
import { expect, test } from "vitest";
import { refusalsMark } from "../../lambda/inbound/canary.ts";
import { Collector } from "../../lambda/refusals/collect.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { canaryOf, messagesOf } from "../refusals/collecting.ts";
import { aWorld, type World, type WorldOptions } from "../world.ts";

const orders = "alias/orders";
const options: WorldOptions = {
  policy: {
    retire: "delete",
    drain: { atLeastMs: dayMs, quietForMs: 5 * dayMs, evidence: "required" },
  },
  refusalsWatch: "cloudtrail",
};

/** Each canary arrives a few minutes after it was sent, unless the trail is off. */
function aTrail(world: World): { sentAtMs: number[]; isOff: boolean } {
  const trail = { sentAtMs: [] as number[], isOff: false };
  const collector = new Collector(
    world.table,
    () => world.clock.nowMs(),
    (alias) => alias,
  );
  world.intercept = (_port, method, input, proceed) => {
    if (method !== "canary" || input[1] !== refusalsMark) return proceed();
    const atMs = world.clock.nowMs();
    trail.sentAtMs.push(atMs);
    const land = () => collector.collect(messagesOf([canaryOf(atMs)]), {});
    if (!trail.isOff) world.underWay.push({ atMs: atMs + 7 * minuteMs, land });
    return proceed();
  };
  return trail;
}

async function untilRetired(world: World): Promise<void> {
  await world.passDays(1);
  while ((await world.record()).versions.every(({ state }) => state !== "draining")) {
    await world.passDays(1);
  }
}

const stateOfFirst = async (world: World) =>
  (await world.record()).versions.find(({ number }) => number === 1)?.state;

test("without a retired version no canary is sent; from then on about one a day", async () => {
  const world = await aWorld(options);
  const trail = aTrail(world);
  await untilRetired(world);
  const [firstMs = Infinity] = trail.sentAtMs;
  expect(firstMs).toBeGreaterThan(world.clock.nowMs() - 2 * dayMs);
  await world.passDays(10);
  expect(trail.sentAtMs.length).toBeGreaterThanOrEqual(10);
  expect(trail.sentAtMs.length).toBeLessThanOrEqual(16);
});

test("a deletion is scheduled, and no finding reports that refused uses are not collected", async () => {
  const world = await aWorld(options);
  aTrail(world);
  await world.passDays(83 + 30);
  expect(await stateOfFirst(world)).toBe("pending-deletion");
  const codes = world.reported.map(({ finding }) => finding.code);
  expect(codes).not.toContain("REFUSALS_NOT_WATCHED");
});

test("passes at any other times leave no gap: the next one may be a day later", async () => {
  const world = await aWorld(options);
  const trail = aTrail(world);
  await untilRetired(world);
  await world.passDays(1);
  const { sinceMs } = (await world.table.refusalsWatch()) ?? {};
  for (const hours of [9, 10, 11, 13, 16, 19, 22, 23, 24]) {
    await world.pass(hours * hourMs);
    await world.table.nudge(orders, world.clock.nowMs());
    await world.tick();
    await world.passDays(1);
  }
  expect(await world.table.refusalsWatch()).toMatchObject({ sinceMs });
  const spans = trail.sentAtMs.slice(1).map((atMs, index) => atMs - (trail.sentAtMs[index] ?? 0));
  expect(Math.max(...spans)).toBeLessThan(36 * hourMs);
});

test("a trail that was off begins the quiet time anew", async () => {
  const world = await aWorld(options);
  const trail = aTrail(world);
  await untilRetired(world);
  await world.passDays(6);
  trail.isOff = true;
  await world.passDays(12);
  trail.isOff = false;
  const onAgainAtMs = world.clock.nowMs();
  await world.passDays(2);
  const { sinceMs = 0 } = (await world.table.refusalsWatch()) ?? {};
  expect(sinceMs).toBeGreaterThanOrEqual(onAgainAtMs);
  await world.passDays(30);
  const deletion = world.table.journal(orders).find(({ event }) => event === "deletion-scheduled");
  expect(deletion?.atMs).toBeGreaterThan(sinceMs + 5 * dayMs);
});

test("a deployment that does not collect refused uses sends no canary, and waits for none", async () => {
  const world = await aWorld({ ...options, refusalsWatch: "none" });
  const trail = aTrail(world);
  await world.passDays(83 + 30);
  expect(await stateOfFirst(world)).toBe("pending-deletion");
  expect(trail.sentAtMs).toEqual([]);
});
