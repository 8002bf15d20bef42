/** CloudTrail may deliver the event of a use attempt late, or again: it counts for the time out of use that it is of. */
import { describe, expect, test } from "vitest";
import { onCall } from "../faults.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, Died, type World, type WorldOptions } from "../world.ts";

const orders = "alias/orders";
/** Version 1 drains from day 83 on for 30 days, and then soaks. */
const policy = { cryptoperiodMs: 300 * dayMs, leadMs: 217 * dayMs };
const [draining, soaking] = [90, 83 + 35];

async function aged(days: number, options: WorldOptions = {}) {
  const world = await aWorld({ policy, ...options });
  const first = await world.targetOf(orders);
  const input = { KeyId: orders, Plaintext: Buffer.from("a") };
  const { CiphertextBlob } = await world.ask("Encrypt", input);
  await world.passDays(days);
  /** The event of a refused use. */
  const refused = async (): Promise<unknown> => {
    await world.ask("Decrypt", { CiphertextBlob }).catch(() => undefined);
    return world.attempts.at(-1);
  };
  return { world, first, refused };
}

/** The content of the table, to check that nothing was written. */
function stored(world: World): string {
  return JSON.stringify(world.table.snapshot());
}

async function expectNoEffect(world: World, first: string, event: unknown): Promise<void> {
  expect(await world.stateOf(first)).toBe("Disabled");
  const before = stored(world);
  expect(await world.deliver(event)).toMatchObject([{ outcome: "no-action" }]);
  expect(stored(world)).toBe(before);
  expect(await world.stateOf(first)).toBe("Disabled");
}

describe("an event from before the DisableKey restores nothing:", () => {
  test("an operator had disabled the version during its drain", async () => {
    const { world, first, refused } = await aged(draining);
    await world.ask("DisableKey", { KeyId: first });
    const event = await refused();
    await world.ask("EnableKey", { KeyId: first });
    await world.passDays(soaking - draining);
    await expectNoEffect(world, first, event);
    expect(await world.deliver(await refused())).toMatchObject([{ outcome: "restored" }]);
    expect(await world.stateOf(first)).toBe("Enabled");
  });

  test("keyturn had disabled the version before, and both rotations that retired it are closed", async () => {
    const { world, first, refused } = await aged(150);
    const event = await refused();
    expect(await world.deliver(event)).toMatchObject([{ outcome: "restored" }]);
    await world.asks("resume");
    await world.passDays(60);
    expect((await world.record()).rotations.filter(({ from }) => from === 1)).toEqual([]);
    await expectNoEffect(world, first, event);
    await world.deliver(await refused());
    expect(await world.stateOf(first)).toBe("Enabled");
  });
});

describe("an event from after the DisableKey restores the version", () => {
  test("although the run died, and a later one found that its DisableKey took effect", async () => {
    const { world, first, refused } = await aged(83 + 29.9);
    let event: unknown;
    onCall(world, "DisableKey", async (proceed) => {
      world.intercept = undefined;
      await proceed();
      world.clock.advance(minuteMs);
      event = await refused();
      throw new Died();
    });
    while (event === undefined) await world.pass(hourMs);
    await world.pass(hourMs);
    const [version] = (await world.record()).versions;
    expect(version).toMatchObject({ state: "disabled" });
    expect(version?.disabledAtMs).toBeGreaterThan((version?.disablingAtMs ?? 0) + 5 * minuteMs);
    expect(await world.deliver(event)).toMatchObject([{ outcome: "restored" }]);
    expect(await world.stateOf(first)).toBe("Enabled");
  });

  test.each([30, 59])(
    "although its time is %i seconds earlier, by another clock",
    async (seconds) => {
      const { world, first, refused } = await aged(soaking);
      const event = (await refused()) as { detail: object };
      const sinceMs = (await world.record()).versions[0]?.disablingAtMs ?? 0;
      const eventTime = `${new Date(sinceMs - seconds * 1000).toISOString().slice(0, 19)}Z`;
      await world.deliver({ ...event, detail: { ...event.detail, eventTime } });
      expect(await world.stateOf(first)).toBe("Enabled");
    },
  );
});
