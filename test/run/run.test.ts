import { describe, expect, test } from "vitest";
import type { Call } from "../../lambda/workflow/model/types.ts";
import { dayMs, minuteMs, secondMs } from "../fixtures.ts";
import { aWorld, Died } from "../world.ts";

const orders = "alias/orders";

function manyKeys(count: number): Record<string, object> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`alias/k${index}`, {}]));
}

describe("a run", () => {
  test("that overlaps another finds the run claim taken and ends", async () => {
    const world = await aWorld();
    await world.passDays(82);
    world.clock.advance(dayMs + minuteMs);
    const [one, other] = await Promise.all([world.tick(), world.tick()]);
    expect([one.outcome, other.outcome].sort()).toEqual(["another-run-at-work", "worked"]);
    expect(world.calls.filter((operation) => operation === "CreateKey")).toHaveLength(1);
  });

  test("that ignores the run claim does no harm: each managed key has its own claim", async () => {
    const world = await aWorld({ keys: manyKeys(8) });
    await world.passDays(82);
    world.intercept = (_port, method, _input, proceed) =>
      method === "takeRunClaim" ? Promise.resolve(true) : proceed();
    world.clock.advance(dayMs + minuteMs);
    await Promise.all([world.tick(), world.tick(), world.tick()]);
    expect(world.calls.filter((operation) => operation === "CreateKey")).toHaveLength(8);
    expect(world.errors).toEqual([]);
  });

  test("that was killed blocks the next one for a minute at most", async () => {
    const world = await aWorld({ keys: manyKeys(8) });
    await world.passDays(82);
    let killed = false;
    world.intercept = (_port, method, input, proceed) => {
      const call = input[0] as Call | undefined;
      killed ||= method === "change" && call?.kind === "CreateKey";
      return killed ? Promise.reject(new Died()) : proceed();
    };
    world.clock.advance(dayMs + minuteMs);
    await world.tick().catch(() => undefined);
    world.intercept = undefined;
    expect((await world.tick()).outcome).toBe("another-run-at-work");
    world.clock.advance(61 * secondMs);
    expect((await world.tick()).outcome).not.toBe("another-run-at-work");
  });

  test("that runs out of time ends with no call in flight, and the next one continues", async () => {
    const world = await aWorld({ keys: manyKeys(40) });
    await world.passDays(82);
    let inFlight = 0;
    world.intercept = async (port, method, _input, proceed) => {
      if (port !== "keys") return proceed();
      world.clock.advance(4 * secondMs);
      inFlight += 1;
      const answer = await proceed();
      inFlight -= 1;
      return answer;
    };
    world.clock.advance(dayMs + minuteMs);
    const first = await world.tick();
    expect(first.outOfTime).toBe(true);
    expect(inFlight).toBe(0);
    expect(first.failed).toBe(0);
    const made = world.calls.filter((operation) => operation === "CreateKey").length;
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThan(40);
    await world.passDays(2);
    expect(world.calls.filter((operation) => operation === "CreateKey")).toHaveLength(40);
    expect(world.kms.world.keys.size).toBe(80);
  });

  test("in which one key's pass throws continues with all other keys", async () => {
    const world = await aWorld({ keys: { "alias/bad": {}, [orders]: {} } });
    await world.passDays(82);
    const bad = await world.targetOf("alias/bad");
    world.intercept = (_port, method, input, proceed) =>
      method === "policyOf" && input[0] === bad
        ? Promise.reject(new TypeError("a bug"))
        : proceed();
    await world.passDays(2);
    expect(world.history(orders)).toContain("activated");
    expect(world.history("alias/bad")).not.toContain("opened");
    expect(world.errors.length).toBeGreaterThan(0);
    expect(world.errors.length).toBeLessThan(60);
  });

  test("that observes a moved alias still on the old version waits, and does not move it again", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    let movedAtMs = Infinity;
    world.intercept = async (_port, method, input, proceed) => {
      const call = input[0] as Call | undefined;
      if (method === "change" && call?.kind === "UpdateAlias") movedAtMs = world.clock.nowMs();
      const lagging = world.clock.nowMs() < movedAtMs + 3 * minuteMs && movedAtMs < Infinity;
      if (method === "describe" && input[0] === orders && lagging) {
        return world.ports().keys.describe(first);
      }
      return proceed();
    };
    await world.passDays(84);
    expect(world.history()).toContain("activated");
    expect(world.calls.filter((operation) => operation === "UpdateAlias")).toHaveLength(1);
    expect(await world.findings()).toEqual([]);
  });
});
