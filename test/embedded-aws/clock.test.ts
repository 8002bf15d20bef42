import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { SimClock } from "../../embedded-aws/clock.ts";
import { SimRandom } from "../../embedded-aws/random.ts";

describe("the clock", () => {
  test("stands still until it is moved, and never goes back", () => {
    const clock = new SimClock({ startMs: 1000 });
    expect(clock.nowMs()).toBe(1000);
    clock.advance(500);
    clock.moveTo(2000);
    expect(clock.nowMs()).toBe(2000);
    expect(() => clock.moveTo(1999)).toThrow("the clock cannot go back");
    expect(() => clock.advance(-1)).toThrow("the clock cannot go back");
    expect(() => clock.moveTo(Number.NaN)).toThrow("cannot be moved");
  });

  test("runs with real time if configured, and can still be moved", async () => {
    const clock = new SimClock({ startMs: 1000, runsWithRealTime: true });
    await sleep(20);
    const passedMs = clock.nowMs() - 1000;
    expect(passedMs).toBeGreaterThanOrEqual(15);
    // Real time passes between a read and a move.
    for (let count = 0; count < 200_000; count++) clock.reach(clock.nowMs());
    clock.reach(0);
    clock.advance(60_000);
    expect(clock.nowMs()).toBeGreaterThanOrEqual(61_000 + passedMs);
  });
});

describe("random numbers", () => {
  test("repeat with their seed", () => {
    const draw = (seed: number) => {
      const random = new SimRandom(seed);
      return [random.next(), random.uuid(), Buffer.from(random.bytes(7)).toString("hex")];
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test("are within bounds, and ids have the UUID form", () => {
    const random = new SimRandom(1);
    const numbers = Array.from({ length: 10_000 }, () => random.next());
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
    const v4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(random.uuid()).toMatch(v4);
    expect(random.bytes(5).length).toBe(5);
    expect(random.hex(5)).toMatch(/^[0-9a-f]{5}$/);
  });
});
