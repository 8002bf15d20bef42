import { describe, expect, test } from "vitest";
import { watched } from "../../lambda/refusals/watched.ts";
import type { RefusalsWatch } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs } from "../fixtures.ts";
import { startMs } from "./collecting.ts";

const before: RefusalsWatch = {
  revision: 4,
  heardAtMs: startMs - dayMs,
  sinceMs: startMs - 90 * dayMs,
  unattributed: 5,
  storedAtMs: startMs - dayMs,
};
const heard = (...times: number[]) => watched(before, times, 0, startMs);

describe("the watch over refused uses", () => {
  test("begins with the first canary", () => {
    expect(watched(undefined, [startMs - hourMs], 0, startMs)).toEqual({
      ...{ revision: 1, heardAtMs: startMs - hourMs, sinceMs: startMs - hourMs },
      ...{ unattributed: 0, storedAtMs: startMs },
    });
  });

  test("continues with each canary, up to 36 hours after the one before", () => {
    const next = { ...before, revision: 5, storedAtMs: startMs };
    const times = [before.heardAtMs + 1, startMs, before.heardAtMs + 36 * hourMs];
    for (const heardAtMs of times) expect(heard(heardAtMs)).toEqual({ ...next, heardAtMs });
  });

  test("begins anew after a longer gap", () => {
    const late = before.heardAtMs + 36 * hourMs + 1;
    expect(heard(late)).toMatchObject({ heardAtMs: late, sinceMs: late });
  });

  test("has no gap where the canaries in between arrive in the same batch, in any order", () => {
    const times = [30, 60, 90].map((hours) => before.heardAtMs + hours * hourMs);
    for (const order of [times, times.toReversed()]) {
      expect(heard(...order)).toMatchObject({ heardAtMs: times[2], sinceMs: before.sinceMs });
    }
  });

  test("does not change where a canary is delivered twice, or late", () => {
    expect(heard(before.heardAtMs)).toBeUndefined();
    expect(heard(before.heardAtMs - 40 * hourMs)).toBeUndefined();
    expect(heard()).toBeUndefined();
  });
});

describe("the count of refused uses that name no key", () => {
  const counted = (count: number, nowMs: number) => watched(before, [], count, nowMs);

  test("is stored hourly, and proves nothing of the watch", () => {
    const atMs = before.storedAtMs + hourMs;
    expect(counted(3, atMs - 1)).toBeUndefined();
    const next = { ...before, revision: 5, unattributed: 8, storedAtMs: atMs };
    expect(counted(3, atMs)).toEqual(next);
    expect(counted(0, atMs)).toBeUndefined();
  });

  test("is stored with each canary", () => {
    const both = watched(before, [startMs], 2, before.storedAtMs + 1);
    expect(both).toMatchObject({ heardAtMs: startMs, unattributed: 7 });
  });

  test("may come before the first canary: then nothing is collected yet", () => {
    const alone = watched(undefined, [], 2, startMs);
    expect(alone).toMatchObject({ heardAtMs: 0, unattributed: 2 });
    const later = startMs + dayMs;
    expect(watched(alone, [later], 0, later)).toMatchObject({ sinceMs: later, unattributed: 2 });
  });
});
