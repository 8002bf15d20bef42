/**
 * Every await of production is an await of a port, where the matrix can interrupt it. The test
 * plays histories and fails if anything starts outside of the ports: such an await would have no
 * case.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { play } from "../../sim/matrix/case.ts";
import { histories } from "../../sim/matrix/matrix.ts";
import { listening } from "../../sim/matrix/outside-ports.ts";

describe("a history starts nothing outside of the ports", () => {
  test.each(histories.map((history) => ({ history, name: history.name })))(
    "$name",
    async ({ history }) => {
      const { result, outside } = await listening(() => play(history, "apart"));
      expect(outside).toEqual([]);
      // A run that the platform had to end awaited something outside of the ports.
      expect(result.outcomes).toEqual([]);
      expect(result.boundaries.length).toBeGreaterThan(50);
    },
  );
});

describe("the listener finds", () => {
  const strays: Record<string, () => unknown> = {
    "a timer": () => pause(1),
    "a timer that no code awaits": () => void clearTimeout(setTimeout(() => undefined, 1)),
    "a file": () => readFile(import.meta.filename),
    "a turn of the event loop": () => new Promise((resolve) => setImmediate(resolve)),
    "a digest off the main thread": () => crypto.subtle.digest("SHA-256", new Uint8Array(1)),
    "an explicit microtask": () => queueMicrotask(() => undefined),
  };
  test.each(Object.entries(strays))("%s", async (_, stray) => {
    const { outside } = await listening(async () => {
      await Promise.resolve();
      await stray();
    });
    expect(outside).not.toEqual([]);
    expect(outside[0]).toContain("test/sim/matrix-awaits.test.ts");
  });
});
