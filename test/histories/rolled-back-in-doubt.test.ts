/**
 * A rollback finishes only when no earlier move of the alias can undo it: neither a call without an
 * answer, nor an answered one that reads do not show yet.
 */
import { expect, test } from "vitest";
import type { Call } from "../../lambda/workflow/model/types.ts";
import { noAnswer } from "../faults.ts";
import { hourMs, minuteMs } from "../fixtures.ts";
import { eyesOf } from "../settle-rule/held.ts";
import { aWorld, type World } from "../world.ts";

const orders = "alias/orders";

/** Lets time pass until the alias moves for the first time; `make` replaces that call. */
async function whenMoved(
  world: World,
  make: (proceed: () => Promise<unknown>, input: unknown[]) => Promise<unknown>,
): Promise<void> {
  let moved = false;
  world.intercept = (_port, method, input, proceed) => {
    const isIt = method === "change" && (input[0] as Call).kind === "UpdateAlias";
    if (!isIt || moved) return proceed();
    moved = true;
    return make(proceed, input);
  };
  await world.passDays(82);
  while (!moved) await world.pass(5 * minuteMs);
  world.clock.advance(minuteMs);
}

async function expectRolledBack(world: World, first: string): Promise<void> {
  await world.pass(hourMs);
  expect(await world.targetOf(orders)).toBe(first);
  const { versions } = await world.record();
  expect(versions.map(({ state }) => state)).toEqual(["active", "draining"]);
  expect(world.errors).toEqual([]);
}

test("an UpdateAlias without an answer lands after a request to roll back", async () => {
  const world = await aWorld({ policy: { propagationMs: 15 * minuteMs } });
  const first = await world.targetOf(orders);
  let land: (() => Promise<unknown>) | undefined;
  await whenMoved(world, (proceed, input) => {
    land = () => {
      input[1] = { deadlineMs: Infinity, limitMs: Infinity };
      return proceed();
    };
    return Promise.resolve(noAnswer);
  });
  world.request("rollback", { version: 2 });
  await world.tick();
  expect((await world.record()).versions[1]?.state).toBe("pending-activation");
  await land?.();
  await expectRolledBack(world, first);
});

test("reads do not show an answered UpdateAlias yet at a request to roll back", async () => {
  const world = await aWorld({ policy: { propagationMs: 15 * minuteMs } });
  const first = await world.targetOf(orders);
  await whenMoved(world, async (proceed) => {
    const eyes = await eyesOf(world);
    const untilMs = world.clock.nowMs() + 4 * minuteMs;
    const answer = await proceed();
    world.intercept = (_port, method, [of], go) => {
      const shown = world.clock.nowMs() < untilMs ? eyes(method, of) : undefined;
      return shown === undefined ? go() : Promise.resolve(shown);
    };
    return answer;
  });
  world.request("rollback", { version: 2 });
  await world.tick();
  await expectRolledBack(world, first);
});
