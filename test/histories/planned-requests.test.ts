/** A request that is bound to a line of the journal applies as planned, or not at all. */
import { describe, expect, test } from "vitest";
import { aPolicy, dayMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";

const orders = "alias/orders";

async function atRest(): Promise<World> {
  const world = await aWorld();
  await world.passDays(9);
  return world;
}

const headOf = async (world: World): Promise<string> =>
  (await world.table.read(orders))?.journalHead ?? "";

const rejections = (world: World): string[] =>
  world.table
    .journal(orders)
    .flatMap(({ event, reason }) => (event === "request-rejected" ? [reason] : []));

describe("a planned request", () => {
  test("is fulfilled while the journal ends in the same line", async () => {
    const world = await atRest();
    await world.asks("rotate", { ifHead: await headOf(world) });
    expect(world.history()).toContain("rotation-requested");
    await world.passDays(1);
    expect((await world.record()).versions).toHaveLength(2);
  });

  test.each(["pause", "rotate", "rollback"])(
    "%s is rejected on a record that has changed",
    async (kind) => {
      const world = await atRest();
      const ifHead = await headOf(world);
      await world.asks("pause");
      await world.asks("resume");
      const fields = kind === "rollback" ? { version: 1 } : {};
      await world.asks(kind, { ifHead, ...fields });
      expect(rejections(world)).toEqual([expect.stringContaining("the plan names the head")]);
      expect(await world.findings()).toContain("REQUEST_REJECTED");
    },
  );

  test("is fulfilled once, although it was written twice", async () => {
    const world = await atRest();
    const ifHead = await headOf(world);
    world.request("rotate", { ifHead });
    world.request("rotate", { ifHead });
    await world.passDays(1);
    const events = world.history().filter((event) => /requested|rejected|^opened/.test(event));
    expect(events).toEqual(["rotation-requested", "request-rejected", "opened"]);
  });

  test("is rejected where the configuration has changed and the record has not", async () => {
    const world = await atRest();
    const ifHead = await headOf(world);
    const { policies } = world.configuration;
    const quarterly = aPolicy({ retire: "delete", soakMs: dayMs });
    world.configuration = { ...world.configuration, policies: { ...policies, quarterly } };
    world.request("rotate", { ifHead });
    await world.passDays(1);
    expect(rejections(world)).toEqual(["the configuration has changed since the plan"]);
    expect(world.history()).not.toContain("rotation-requested");
  });
});
