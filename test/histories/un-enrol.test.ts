import { describe, expect, test } from "vitest";
import { noAnswer, onCall } from "../faults.ts";
import { hourMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";

const orders = "alias/orders";
const ordersEu = "alias/orders-eu";
const throttled = { kind: "refused", refusal: "Throttled", message: "Rate exceeded" };
const opens = 83;

function keysOf(world: World) {
  return [...world.kms.world.keys.values()];
}

/** The state of every key, and the aliases on it. */
function state(world: World): { state: string; aliases: string[] }[] {
  return keysOf(world).map(({ state, aliasNames }) => ({ state, aliases: [...aliasNames].sort() }));
}

/** But for the tag that rights of callers may rest on: it stays. */
function ourTagsLeft(world: World): string[] {
  const free = keysOf(world).filter(({ state }) => state !== "PendingDeletion");
  return free.flatMap(({ tags }) =>
    [...tags.keys()].filter((name) => /^keyturn:(?!alias$)/.test(name)),
  );
}

function changingSince(world: World, calls: number): string[] {
  return world.calls.slice(calls).filter((name) => !/^(Describe|List|Get)/.test(name));
}

const snapshots: Record<string, (world: World) => Promise<void>> = {
  "at rest": (world) => world.passDays(20),
  "in the middle of moving the aliases": async (world) => {
    let moves = 0;
    onCall(world, "UpdateAlias", () => (++moves === 1 ? undefined : Promise.resolve(throttled)));
    await world.passDays(opens + 1);
    world.intercept = undefined;
  },
  "in drain": (world) => world.passDays(opens + 10),
  "in soak": (world) => world.passDays(opens + 35),
};

async function managed(): Promise<World> {
  const Tags = [{ TagKey: "team", TagValue: "orders" }];
  return aWorld({
    policy: { retire: "delete" },
    keys: { [orders]: { Tags } },
    aliases: { [orders]: [ordersEu] },
  });
}

describe("un-enrol", () => {
  test.each(Object.keys(snapshots))(
    "%s removes keyturn's tags alone, and every key and alias stays as it is",
    async (snapshot) => {
      const world = await managed();
      await snapshots[snapshot]?.(world);
      const before = state(world);
      await world.asks("un-enrol", { confirm: orders });
      await world.passDays(1);
      const calls = world.calls.length;
      await world.passDays(300);
      expect(state(world)).toEqual(before);
      expect(ourTagsLeft(world)).toEqual([]);
      for (const { tags } of keysOf(world)) expect(tags.get("team")).toBe("orders");
      expect(changingSince(world, calls)).toEqual([]);
      expect(world.errors).toEqual([]);
    },
  );

  test("in the deletion window neither shortens nor cancels the deletion", async () => {
    const world = await managed();
    await world.passDays(opens + 55);
    const before = state(world);
    expect(before.map(({ state }) => state)).toEqual(["PendingDeletion", "Enabled"]);
    await world.asks("un-enrol", { confirm: orders });
    await world.passDays(10);
    expect([state(world), ourTagsLeft(world)]).toEqual([before, []]);
    const calls = world.calls.length;
    await world.passDays(300);
    expect(state(world)).toEqual(before.slice(1));
    expect(changingSince(world, calls)).toEqual([]);
  });

  test("with another alias typed is rejected, and the key rotates as before", async () => {
    const world = await aWorld();
    await world.passDays(20);
    await world.asks("un-enrol", { confirm: "alias/invoices" });
    expect(await world.findings()).toEqual(["REQUEST_REJECTED"]);
    expect(ourTagsLeft(world)).toContain("keyturn:owner");
    await world.passDays(opens);
    expect(keysOf(world)).toHaveLength(2);
  });

  test("removes no tag of a key that another owner has tagged", async () => {
    const world = await aWorld();
    await world.passDays(opens + 10);
    const [first] = (await world.record()).versions;
    const Tags = [{ TagKey: "keyturn:owner", TagValue: "another" }];
    await world.ask("TagResource", { KeyId: first?.keyId, Tags });
    const theirs = new Map(keysOf(world)[0]?.tags);
    await world.asks("un-enrol", { confirm: orders });
    await world.passDays(1);
    expect(new Map(keysOf(world)[0]?.tags)).toEqual(theirs);
    expect([...(keysOf(world)[1]?.tags.keys() ?? [])]).toEqual(["keyturn:alias"]);
  });

  test("is rejected until a needed version is restored", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    const { CiphertextBlob } = await world.ask("Encrypt", {
      KeyId: orders,
      Plaintext: Buffer.from("a"),
    });
    await world.passDays(opens + 35);
    onCall(world, "EnableKey", () => Promise.resolve(throttled));
    await world.ask("Decrypt", { CiphertextBlob }).catch(() => undefined);
    await world.deliver(world.attempts.at(-1));
    await world.asks("un-enrol", { confirm: orders });
    expect(await world.findings()).toContain("REQUEST_REJECTED");
    world.intercept = undefined;
    await world.pass(hourMs);
    expect(await world.stateOf(first)).toBe("Enabled");
    await world.ask("Decrypt", { CiphertextBlob });
  });

  test("answers no later use attempt", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    const { CiphertextBlob } = await world.ask("Encrypt", {
      KeyId: orders,
      Plaintext: Buffer.from("a"),
    });
    await world.passDays(opens + 35);
    await world.asks("un-enrol", { confirm: orders });
    await world.passDays(1);
    await world.ask("Decrypt", { CiphertextBlob }).catch(() => undefined);
    await world.deliver(world.attempts.at(-1));
    await world.passDays(1);
    expect(await world.stateOf(first)).toBe("Disabled");
  });
});

describe("resume after un-enrol", () => {
  test("is rejected before all tags are removed, and the un-enrolment continues", async () => {
    const world = await aWorld();
    await world.passDays(20);
    onCall(world, "UntagResource", () => Promise.resolve(throttled));
    await world.asks("un-enrol", { confirm: orders });
    await world.asks("resume");
    world.intercept = undefined;
    await world.passDays(1);
    expect(ourTagsLeft(world)).toEqual([]);
    expect(await world.findings()).toContain("UNENROLLED");
  });

  test("is rejected while the configuration does not name the key", async () => {
    const world = await aWorld();
    await world.passDays(20);
    await world.asks("un-enrol", { confirm: orders });
    await world.passDays(1);
    world.configuration = { ...world.configuration, managedKeys: [] };
    await world.asks("resume");
    await world.passDays(100);
    expect([keysOf(world).length, ourTagsLeft(world)]).toEqual([1, []]);
  });

  test("enrols again while version 1 is pending deletion", async () => {
    const world = await managed();
    await world.passDays(opens + 55);
    await world.asks("un-enrol", { confirm: orders });
    await world.passDays(1);
    const target = await world.targetOf(orders);
    await world.asks("resume");
    await world.passDays(100);
    expect(await world.findings()).toEqual([]);
    expect(await world.targetOf(orders)).not.toBe(target);
  });

  // firstVersionFound sets lastNumber to 1, and the key that KMS may not untag is tagged version 3.
  test("enrols again while a later version is pending deletion", async () => {
    const world = await managed();
    await world.passDays(310);
    expect(state(world).map(({ state }) => state)).toEqual(["PendingDeletion", "Enabled"]);
    await world.asks("un-enrol", { confirm: orders });
    await world.passDays(1);
    await world.asks("resume");
    await world.passDays(1);
    expect(await world.findings()).toEqual([]);
  });
});

// keyturn would close its rotation at once, and no longer search for the key.
test("un-enrol waits for a CreateKey without an answer, and leaves no tags on its key", async () => {
  const world = await aWorld();
  await world.passDays(opens - 3);
  onCall(world, "CreateKey", (proceed) => {
    world.request("un-enrol", { confirm: orders });
    return proceed().then(() => noAnswer);
  });
  await world.passDays(4);
  world.intercept = undefined;
  await world.passDays(1);
  expect(await world.findings()).toContain("REQUEST_REJECTED");
  await world.asks("un-enrol", { confirm: orders });
  await world.passDays(30);
  expect(ourTagsLeft(world)).toEqual([]);
});
