import { describe, expect, test } from "vitest";
import { RotationError } from "../../lambda/errors.ts";
import { hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, Died, type World } from "../world.ts";

const orders = "alias/orders";
const opens = 83;

function keyCount(world: World): number {
  return world.kms.world.keys.size;
}

async function rejections(world: World): Promise<string[]> {
  const { findings } = await world.record();
  return findings.filter(({ code }) => code === "REQUEST_REJECTED").map(({ observed }) => observed);
}

async function heldByAnotherRun(world: World): Promise<void> {
  const nowMs = world.clock.nowMs();
  const untilMs = nowMs + 14 * minuteMs;
  const claim = { runId: "another", passId: "another", nowMs, untilMs, dueAgainAtMs: untilMs };
  await world.table.claim(orders, { ...claim, taking: "asked" });
}

describe("rotate", () => {
  test("opens in the run that reads it, and a second one is rejected", async () => {
    const world = await aWorld();
    await world.passDays(10);
    await world.asks("rotate");
    expect(keyCount(world)).toBe(2);
    await world.asks("rotate");
    expect(await rejections(world)).toEqual(["rotate: a rotation to version 2 is already open"]);
    await world.passDays(5);
    expect(keyCount(world)).toBe(2);
  });

  test("of a paused key opens after resume, once for two requests", async () => {
    const world = await aWorld();
    await world.passDays(10);
    await world.asks("pause");
    await world.asks("rotate");
    await world.asks("rotate");
    expect(await rejections(world)).toEqual(["rotate: a rotation is already requested"]);
    await world.passDays(5);
    expect(keyCount(world)).toBe(1);
    await world.asks("resume");
    await world.passDays(5);
    expect(keyCount(world)).toBe(2);
  });
});

test("an acknowledgement by another name is rejected; a second one by a dependent is not", async () => {
  const world = await aWorld({ dependents: ["billing", "search"] });
  await world.passDays(opens + 1);
  await world.asks("acknowledge", { version: 2, dependent: "stranger" });
  for (const dependent of ["billing", "billing", "search"]) {
    await world.asks("acknowledge", { version: 2, dependent });
  }
  expect(await rejections(world)).toEqual(["acknowledge: stranger is not a dependent"]);
});

describe("a request", () => {
  test("for a key that another run holds is fulfilled after that run", async () => {
    const world = await aWorld();
    await world.passDays(10);
    await heldByAnotherRun(world);
    await world.asks("rotate");
    await world.pass(10 * minuteMs);
    expect([keyCount(world), (await world.table.requests(orders)).length]).toEqual([1, 1]);
    await world.pass(hourMs);
    expect([keyCount(world), (await world.table.requests(orders)).length]).toEqual([2, 0]);
  });

  test("written during the pass of its key is fulfilled by the next run", async () => {
    const world = await aWorld();
    await world.passDays(opens - 2);
    let written = false;
    world.intercept = (_port, method, _input, proceed) => {
      if (method === "change" && !written) {
        written = true;
        world.request("pause");
      }
      return proceed();
    };
    const first = await world.targetOf(orders);
    await world.passDays(5);
    expect([written, await world.findings()]).toEqual([true, ["PAUSED"]]);
    expect(await world.targetOf(orders)).toBe(first);
  });

  test.each(["write", "archive", "publish", "deleteRequests"])(
    "whose run dies before %s is fulfilled once",
    async (where) => {
      const world = await aWorld();
      await world.passDays(10);
      let alive = true;
      let left = 1;
      world.afterRun = () => Promise.resolve(void (alive = true));
      world.intercept = (_port, method, _input, proceed) => {
        if (method === where && left-- > 0) alive = false;
        return alive ? proceed() : Promise.reject(new Died());
      };
      world.request("rotate");
      await world.passDays(2);
      expect(left).toBeLessThan(1);
      expect([keyCount(world), await world.table.requests(orders)]).toEqual([2, []]);
    },
  );

  test("whose item cannot be deleted for days is fulfilled once", async () => {
    const world = await aWorld();
    await world.passDays(10);
    const fault = new RotationError("TABLE_FAILED", "deleteRequests", undefined);
    world.intercept = (_port, method, _input, proceed) =>
      method === "deleteRequests" ? Promise.reject(fault) : proceed();
    world.request("rotate");
    await world.passDays(4);
    expect([keyCount(world), (await world.table.requests(orders)).length]).toEqual([2, 1]);
    world.intercept = undefined;
    await world.passDays(4);
    expect([keyCount(world), (await world.table.requests(orders)).length]).toEqual([2, 0]);
  });

  test("for a claimed key that the configuration no longer names is not lost", async () => {
    const world = await aWorld();
    await world.passDays(10);
    const named = world.configuration;
    world.configuration = { ...named, managedKeys: [] };
    await heldByAnotherRun(world);
    await world.asks("pause");
    world.configuration = named;
    await world.passDays(100);
    expect([keyCount(world), await world.findings()]).toEqual([1, ["OVERDUE", "PAUSED"]]);
  });

  test("for one managed key does not affect another", async () => {
    const world = await aWorld({ keys: { [orders]: {}, "alias/invoices": {} } });
    await world.passDays(10);
    await world.asks("pause");
    await world.passDays(80);
    expect(await world.findings("alias/invoices")).toEqual([]);
    expect((await world.record("alias/invoices")).versions).toHaveLength(2);
    expect((await world.record()).versions).toHaveLength(1);
  });
});

describe("many requests", () => {
  test("that are rejected leave the last ten findings", async () => {
    const world = await aWorld();
    await world.passDays(10);
    for (let count = 0; count < 30; count++) world.request("resume");
    await world.tick();
    expect(await rejections(world)).toHaveLength(10);
    expect(await world.table.requests(orders)).toEqual([]);
  });

  // A pass throws after 200 decisions, before it publishes any of their journal lines.
  test("at once keep the item of their key small, and cause no error", async () => {
    const world = await aWorld();
    await world.passDays(10);
    let largest = 0;
    world.intercept = (_port, method, input, proceed) => {
      if (method === "write") largest = Math.max(largest, JSON.stringify(input[0]).length);
      return proceed();
    };
    for (let count = 0; count < 300; count++) world.request("resume");
    await world.pass(6 * hourMs);
    expect(await world.table.requests(orders)).toEqual([]);
    expect([world.errors, largest < 100_000]).toEqual([[], true]);
  });
});
