import { describe, expect, test } from "vitest";
import type { Step } from "../../lambda/workflow/model/types.ts";
import { noAnswer, onCall } from "../faults.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";

const orders = "alias/orders";
const opensOnDay = 83;
const throttled = { kind: "refused", refusal: "Throttled", message: "Rate exceeded" };

/** A world with data under every version that was active, and an open rotation. */
async function openAt(stage: Stage): Promise<World> {
  const world = await aWorld({ policy: { retire: "delete" } });
  await world.passDays(1);
  await produce(world);
  await stages[stage](world);
  await produce(world);
  return world;
}

type Stage = keyof typeof stages;

const stages = {
  "in generate": (world: World) => stuckAt(world, "CreateKey"),
  "in distribute": async (world: World) => {
    await world.passDays(82);
    await world.pass(10 * minuteMs);
  },
  "in activate": (world: World) => stuckAt(world, "UpdateAlias"),
  "just after activation": async (world: World) => {
    await world.passDays(82);
    await world.pass(40 * minuteMs);
  },
  "in drain": (world: World) => world.passDays(95),
  "in soak": (world: World) => world.passDays(83 + 35),
  "in the deletion window": (world: World) => world.passDays(83 + 31 + 14 + 10),
};

async function stuckAt(world: World, kind: "CreateKey" | "UpdateAlias"): Promise<void> {
  onCall(world, kind, () => Promise.resolve(throttled));
  await world.passDays(84);
}

const produced = new WeakMap<World, unknown[]>();

async function produce(world: World): Promise<void> {
  const { CiphertextBlob } = await world.ask("Encrypt", {
    KeyId: orders,
    Plaintext: Buffer.from("a"),
  });
  produced.set(world, [...(produced.get(world) ?? []), CiphertextBlob]);
}

async function readAll(world: World): Promise<void> {
  for (const CiphertextBlob of produced.get(world) ?? []) {
    await world.ask("Decrypt", { CiphertextBlob });
  }
}

async function activeNumbers(world: World): Promise<number[]> {
  const { versions } = await world.record();
  return versions.filter(({ state }) => state === "active").map(({ number }) => number);
}

const steps: Record<Stage, Step> = {
  "in generate": "generate",
  "in distribute": "distribute",
  "in activate": "activate",
  "just after activation": "drain",
  "in drain": "drain",
  "in soak": "revoke",
  "in the deletion window": "revoke",
};

describe("rolling version 2 back", () => {
  test.each(Object.keys(stages) as Stage[])(
    "%s: version 1 is active, all data is readable, and nothing rotates until resume",
    async (stage) => {
      const world = await openAt(stage);
      const first = (await world.record()).versions[0]?.keyId;
      expect((await world.record()).rotations.map(({ step }) => step)).toEqual([steps[stage]]);
      world.intercept = undefined;
      await world.asks("rollback", { version: 2, reason: "search cannot read it" });
      await world.pass(hourMs);
      expect(await world.targetOf(orders)).toBe(first);
      expect(await world.stateOf(first ?? "")).toBe("Enabled");
      expect(await activeNumbers(world)).toEqual([1]);
      await readAll(world);
      const { Tags } = await world.ask<{ Tags: { TagKey: string }[] }>("ListResourceTags", {
        KeyId: first,
      });
      expect(Tags.map(({ TagKey }) => TagKey)).not.toContain("keyturn:retired");
      await world.passDays(100);
      expect(await world.targetOf(orders)).toBe(first);
      expect(await world.findings()).toEqual(["OVERDUE", "HELD_AFTER_ROLLBACK"]);
      expect(world.errors).toEqual([]);
    },
  );

  test.each(Object.keys(stages) as Stage[])(
    "%s, and resumed: version 3 is created, and versions 1 and 2 leave by the policy",
    async (stage) => {
      const world = await openAt(stage);
      world.intercept = undefined;
      await world.asks("rollback", { version: 2 });
      await world.passDays(1);
      await world.asks("resume");
      await world.passDays(1);
      const { versions } = await world.record();
      const active = versions.find(({ state }) => state === "active");
      expect(await world.targetOf(orders)).toBe(active?.keyId);
      expect(active?.number).toBeGreaterThan(1);
      await world.passDays(82);
      expect((await world.record()).versions.map(({ number }) => number)).toEqual([active?.number]);
      expect(await world.findings()).toEqual([]);
    },
  );
});

describe("rolling back", () => {
  test("without an earlier version is rejected", async () => {
    const world = await aWorld();
    await world.passDays(1);
    const first = await world.targetOf(orders);
    await world.asks("rollback", { version: 1 });
    expect(await world.findings()).toEqual(["REQUEST_REJECTED"]);
    expect(await world.targetOf(orders)).toBe(first);
    await world.passDays(8);
    expect(await world.findings()).toEqual([]);
  });

  test("twice in a row returns two versions, and a copy of a request returns one", async () => {
    const world = await aWorld({ policy: { retire: "retain" } });
    const first = await world.targetOf(orders);
    await world.passDays(180);
    const [, second] = (await world.record()).versions;
    expect(await activeNumbers(world)).toEqual([3]);
    world.request("rollback", { version: 3 });
    world.request("rollback", { version: 3 });
    await world.tick();
    await world.pass(hourMs);
    expect(await world.targetOf(orders)).toBe(second?.keyId);
    expect(await world.findings()).toContain("REQUEST_REJECTED");
    await world.asks("rollback", { version: 2 });
    await world.pass(hourMs);
    expect(await world.targetOf(orders)).toBe(first);
    await world.passDays(60);
    expect(await world.targetOf(orders)).toBe(first);
  });

  test("the active version, while the next one is created, cancels that one too", async () => {
    const world = await aWorld({ policy: { cryptoperiodMs: 40 * dayMs, leadMs: 0 } });
    const first = await world.targetOf(orders);
    await world.passDays(41);
    const since = (await world.record()).versions[1]?.activatedAtMs ?? 0;
    await world.pass(since + 40 * dayMs + 10 * minuteMs - world.clock.nowMs());
    expect((await world.record()).rotations.map(({ to }) => to)).toContain(3);
    await world.asks("rollback", { version: 2 });
    await world.passDays(1);
    expect(await world.targetOf(orders)).toBe(first);
    const states = (await world.record()).versions.map(({ state }) => state);
    expect(states).toEqual(["active", "draining", "draining"]);
  });

  test("during the move of several aliases moves all of them back", async () => {
    const world = await aWorld({ aliases: { [orders]: ["alias/orders-eu"] } });
    const first = await world.targetOf(orders);
    let moves = 0;
    onCall(world, "UpdateAlias", () => (++moves === 1 ? undefined : Promise.resolve(throttled)));
    await world.passDays(84);
    expect(await world.targetOf(orders)).not.toBe(first);
    world.intercept = undefined;
    await world.asks("rollback", { version: 2 });
    await world.pass(hourMs);
    expect(await world.targetOf(orders)).toBe(first);
    expect(await world.targetOf("alias/orders-eu")).toBe(first);
    expect(await activeNumbers(world)).toEqual([1]);
  });

  test("the target of an open rollback cancels that rollback", async () => {
    const world = await aWorld();
    await world.passDays(90);
    const second = await world.targetOf(orders);
    await world.asks("rollback", { version: 2 });
    await world.asks("rollback", { version: 1 });
    await world.passDays(5);
    expect(await world.targetOf(orders)).toBe(second);
    expect(await activeNumbers(world)).toEqual([2]);
    expect((await world.record()).rotations.map(({ from, step }) => [from, step])).toEqual([
      [1, "drain"],
    ]);
  });

  test("to a key that another deployment took over does not change it", async () => {
    const world = await aWorld();
    await world.passDays(90);
    const [first, second] = (await world.record()).versions;
    const Tags = [{ TagKey: "keyturn:owner", TagValue: "another" }];
    await world.ask("TagResource", { KeyId: first?.keyId, Tags });
    await world.asks("rollback", { version: 2 });
    await world.passDays(1);
    expect(await world.findings()).toContain("OTHER_OWNER");
    expect(await world.targetOf(orders)).toBe(second?.keyId);
  });

  test("continues after an UntagResource without an answer", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    await world.passDays(90);
    onCall(world, "UntagResource", (proceed) => {
      world.intercept = undefined;
      return proceed().then(() => noAnswer);
    });
    await world.asks("rollback", { version: 2 });
    await world.passDays(2);
    expect(await world.targetOf(orders)).toBe(first);
    expect(await world.findings()).toEqual(["OVERDUE", "HELD_AFTER_ROLLBACK"]);
  });

  test("a rollback of some aliases leaves one version active", async () => {
    const world = await aWorld({ aliases: { [orders]: ["alias/orders-eu"] } });
    let moves = 0;
    onCall(world, "UpdateAlias", () => (++moves === 1 ? undefined : Promise.resolve(throttled)));
    await world.passDays(84);
    await world.asks("rollback", { version: 2 });
    await world.asks("rollback", { version: 1 });
    world.intercept = undefined;
    await world.passDays(2);
    expect(world.errors).toEqual([]);
    const { versions } = await world.record();
    expect(versions.map(({ state }) => state)).toContain("active");
    expect(await world.targetOf("alias/orders-eu")).toBe(await world.targetOf(orders));
  });
});

describe("after a rollback, the label of the newer version", () => {
  test("with a lost answer and then throttled is no trace of a restored table", async () => {
    const world = await aWorld();
    await world.passDays(90);
    let calls = 0;
    onCall(world, "TagResource", (proceed) => {
      calls += 1;
      if (calls === 1) return proceed().then(() => noAnswer);
      return calls < 4 ? Promise.resolve(throttled) : undefined;
    });
    await world.asks("rollback", { version: 2 });
    await world.passDays(2);
    expect(await world.findings()).toEqual(["OVERDUE", "HELD_AFTER_ROLLBACK"]);
    expect((await world.record()).versions[1]?.label).toBeDefined();
  });

  test("that lands late on the target of another rollback is removed", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    await world.passDays(opensOnDay);
    onCall(world, "TagResource", (proceed) => {
      world.intercept = undefined;
      world.underWay.push({ atMs: world.clock.nowMs() + 4 * minuteMs, land: proceed });
      return Promise.resolve(noAnswer);
    });
    await world.pass(hourMs / 2);
    world.request("rollback", { version: 2 });
    await world.passDays(2);
    expect(await world.targetOf(orders)).toBe(first);
    expect(await world.findings()).toEqual(["HELD_AFTER_ROLLBACK"]);
  });
});
