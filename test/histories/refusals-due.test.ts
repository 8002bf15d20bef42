/** News of refused uses, from the item that the second function writes to the pass that reads it. */
import { expect, test } from "vitest";
import { RotationError } from "../../lambda/errors.ts";
import type { Refusals } from "../../lambda/workflow/model/types.ts";
import { dayMs, minuteMs } from "../fixtures.ts";
import { aUse, usesOf } from "../workflow/refused.ts";
import { onCall } from "../faults.ts";
import { aWorld, type World } from "../world.ts";

const orders = "alias/orders";
const watched = { refusalsWatch: "cloudtrail" } as const;

/** A managed key, at rest, and news about it. */
async function aWorldWithNews(options: Parameters<typeof aWorld>[0] = watched): Promise<World> {
  const world = await aWorld(options);
  await world.passDays(1);
  await putNews(world, orders);
  return world;
}

async function putNews(world: World, alias: string, on: Refusals["on"] = {}): Promise<void> {
  const next: Refusals = { revision: 1, on, dueAtMs: world.clock.nowMs() };
  expect(await world.table.saveRefusals(alias, next, 0)).toBe(true);
}

const dueKinds = async (world: World): Promise<string[]> => {
  const { items } = await world.table.due(world.clock.nowMs(), 10);
  return items.map(({ kind }) => kind).filter((kind) => kind !== "configuration");
};

test("news makes one pass, and is due no more", async () => {
  const world = await aWorldWithNews();
  const { epoch } = await world.record();
  expect(await dueKinds(world)).toEqual(["refusals"]);
  expect(await world.tick()).toMatchObject({ passes: 1, failed: 0 });
  expect(await dueKinds(world)).toEqual([]);
  expect((await world.record()).epoch).toBe(epoch + 1);
  expect(await world.table.refusals(orders)).toEqual({ revision: 2, on: {} });
});

test("news that arrives while a pass decides stays due for the next one", async () => {
  const world = await aWorldWithNews();
  world.intercept = async (_port, method, _input, proceed) => {
    const answer = await proceed();
    if (method !== "refusals") return answer;
    world.intercept = undefined;
    const dueAtMs = world.clock.nowMs();
    await world.table.saveRefusals(orders, { revision: 2, on: {}, dueAtMs }, 1);
    return answer;
  };
  await world.tick();
  expect(await dueKinds(world)).toEqual(["refusals"]);
  await world.tick();
  expect(await dueKinds(world)).toEqual([]);
});

test("news stays due where the table fails to take it as read: the next run makes one more pass", async () => {
  const world = await aWorldWithNews();
  world.intercept = async (_port, method, _input, proceed) => {
    if (method !== "refusalsRead") return await proceed();
    throw new RotationError("TABLE_FAILED", "no table", undefined);
  };
  expect(await world.tick()).toMatchObject({ passes: 1, failed: 0 });
  expect(world.errors).toMatchObject([{ message: "no table" }]);
  expect(await dueKinds(world)).toEqual(["refusals"]);
  world.intercept = undefined;
  await world.tick();
  expect(await dueKinds(world)).toEqual([]);
});

test("news about an alias that is no longer managed is deleted by a run", async () => {
  const world = await aWorldWithNews();
  await putNews(world, "alias/removed");
  await world.tick();
  expect(await world.table.refusals("alias/removed")).toBeUndefined();
  expect(await world.table.refusals(orders)).toBeDefined();
  expect(await dueKinds(world)).toEqual([]);
  expect(world.errors).toEqual([]);
});

test("news about a managed key that another run holds stays due", async () => {
  const world = await aWorldWithNews();
  const nowMs = world.clock.nowMs();
  await world.table.claim(orders, {
    ...{ runId: "another", passId: "another", nowMs, untilMs: nowMs + 5 * minuteMs },
    ...{ dueAgainAtMs: nowMs + dayMs, taking: "asked" },
  });
  await world.tick();
  expect(await dueKinds(world)).toEqual(["refusals"]);
  world.clock.advance(6 * minuteMs);
  await world.tick();
  expect(await dueKinds(world)).toEqual([]);
});

test("news about an un-enrolled managed key is read like any other", async () => {
  const world = await aWorld(watched);
  await world.passDays(1);
  await world.asks("un-enrol", { confirm: orders });
  await world.passDays(1);
  await putNews(world, orders);
  await world.tick();
  expect(await dueKinds(world)).toEqual([]);
});

test("news that the deployment no longer collects is due no more, and stays stored", async () => {
  const world = await aWorldWithNews({ refusalsWatch: "none" });
  await world.tick();
  expect(await dueKinds(world)).toEqual([]);
  expect(await world.table.refusals(orders)).toEqual({ revision: 2, on: {} });
});

test("a caller that a move locks out is reported while an earlier call may still take effect", async () => {
  const second = "alias/orders-eu";
  const world = await aWorld({ ...watched, aliases: { [orders]: [second] } });
  await world.passDays(1);
  let moves = 0;
  onCall(world, "UpdateAlias", () => {
    const isFirst = (moves += 1) === 1;
    const refused = { kind: "refused", refusal: "AccessDenied", message: "not authorized" };
    return isFirst ? undefined : Promise.resolve(refused);
  });
  for (let day = 0; day < 400 && moves < 2; day++) await world.passDays(1);
  world.intercept = undefined;
  const stored = await world.table.read(orders);
  const { keyId = "" } = stored?.record.versions.find(({ number }) => number === 2) ?? {};
  if (stored === undefined) throw new Error("no record");
  const { revision, epoch } = stored.record;
  // As of a run that died.
  const unsettled = [{ epoch: epoch - 1, untilMs: world.clock.nowMs() + 20 * minuteMs }];
  const record = { ...stored.record, unsettled };
  const expected = { revision, epoch, writes: stored.writes };
  await world.table.write({ ...stored, record, writes: stored.writes + 1 }, expected);
  await putNews(world, orders, {
    [keyId]: usesOf(aUse({ operation: "Encrypt", lastAtMs: world.clock.nowMs() })),
  });
  await world.tick();
  const { waitingFor, findings } = await world.record();
  expect(waitingFor).toContain("UpdateAlias waits");
  expect(findings.map(({ code }) => code)).toContain("REFUSED_SINCE_ACTIVATION");
});
