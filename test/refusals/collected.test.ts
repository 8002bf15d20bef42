import { describe, expect, test } from "vitest";
import { collected, none } from "../../lambda/refusals/collected.ts";
import type { Tally } from "../../lambda/refusals/tally.ts";
import type { Refusals, Version } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aVersion } from "../contract/tables.ts";
import { first, second } from "../inbound/cloudtrail.ts";
import { aTally, manyTallies, movedAtMs, startMs, versionsOf } from "./collecting.ts";

const versions = versionsOf();

/** The item after each of these lists was collected, if it was written. */
function after(...steps: [tallies: Tally[], nowMs: number][]): Refusals {
  let stored = none;
  for (const [tallies, nowMs] of steps) {
    const { next, mustWrite } = collected(stored, tallies, versions, nowMs);
    if (mustWrite) stored = next;
  }
  return stored;
}

const isWritten = (before: Refusals, tallies: Tally[], nowMs: number, of: Version[] = versions) =>
  collected(before, tallies, of, nowMs).mustWrite;

describe("the first refusal of a use", () => {
  test("is written at once, and makes the managed key due", () => {
    const use = aTally({ count: 3, firstAtMs: startMs - minuteMs });
    const { next, mustWrite } = collected(none, [use], versions, startMs + hourMs);
    expect(mustWrite).toBe(true);
    const { subject: _, name, ...rest } = use;
    expect(next).toEqual({
      revision: 0,
      dueAtMs: startMs + hourMs,
      on: { [first]: { uses: { [name]: { ...rest, storedAtMs: startMs + hourMs } } } },
    });
  });

  test("has another id for another principal, operation or error", () => {
    const others: Partial<Tally>[] = [
      {},
      { principal: "arn:aws:iam::111122223333:role/other" },
      { operation: "Verify" },
      { error: "IncorrectKeyException" },
    ];
    const { on } = after([others.map((changes) => aTally(changes)), startMs]);
    expect(Object.keys(on[first]?.uses ?? {})).toHaveLength(4);
  });

  test("is kept apart by version, and for calls that name the alias", () => {
    const subjects = [first, second, "alias"];
    const { on } = after([subjects.map((subject) => aTally({ subject })), startMs]);
    expect(Object.keys(on)).toEqual(subjects);
  });
});

describe("a repetition", () => {
  const once = after([[aTally()], startMs]);

  test("is written an hour after the last write, and not before", () => {
    const again = (lastAtMs: number) => [aTally({ lastAtMs })];
    expect(isWritten(once, again(startMs + 1), startMs + hourMs - 1)).toBe(false);
    expect(isWritten(once, again(startMs + 1), startMs + hourMs)).toBe(true);
    const later = collected(once, again(startMs + 7), versions, startMs + hourMs).next;
    expect(later.on[first]?.uses[aTally().name]).toMatchObject({
      ...{ firstAtMs: startMs, lastAtMs: startMs + 7, count: 2, storedAtMs: startMs + hourMs },
    });
  });

  test("does not make the managed key due", () => {
    const { dueAtMs: _, ...isRead } = once;
    const { next } = collected(isRead, [aTally()], versions, startMs + hourMs);
    expect(next).not.toHaveProperty("dueAtMs");
  });

  test("that another policy denies is no denial by the key policy alone", () => {
    const byKeyPolicy = { byKeyPolicy: true } as const;
    const use = (...tallies: Tally[]) =>
      after(...tallies.map((one, index): [Tally[], number] => [[one], startMs + index * hourMs]))
        .on[first]?.uses[aTally().name];
    expect(use(aTally(byKeyPolicy), aTally(byKeyPolicy))).toMatchObject(byKeyPolicy);
    expect(use(aTally(byKeyPolicy), aTally())).not.toHaveProperty("byKeyPolicy");
    expect(use(aTally(), aTally(byKeyPolicy))).not.toHaveProperty("byKeyPolicy");
  });

  test("across the retirement of the version is news: from then on it is a need", () => {
    const before = after([[aTally({ lastAtMs: movedAtMs - 1 })], movedAtMs - 1]);
    const soon = movedAtMs + minuteMs;
    expect(isWritten(before, [aTally({ lastAtMs: movedAtMs - 1 })], soon)).toBe(false);
    const { next, mustWrite } = collected(
      before,
      [aTally({ lastAtMs: movedAtMs })],
      versions,
      soon,
    );
    expect([mustWrite, next.dueAtMs]).toEqual([true, soon]);
    expect(isWritten(next, [aTally({ lastAtMs: movedAtMs + 1 })], soon + 1)).toBe(false);
  });

  test("across ten minutes after the activation is news: from then on the move may cause it", () => {
    const onSecond = (lastAtMs: number) => [aTally({ subject: second, lastAtMs })];
    const settledAtMs = movedAtMs + 10 * minuteMs;
    const before = after([onSecond(movedAtMs - 1), movedAtMs - 1]);
    for (const atMs of [movedAtMs, settledAtMs - 1]) {
      expect(isWritten(before, onSecond(atMs), settledAtMs + 1)).toBe(false);
    }
    const { next, mustWrite } = collected(before, onSecond(settledAtMs), versions, settledAtMs + 1);
    expect([mustWrite, next.dueAtMs]).toEqual([true, settledAtMs + 1]);
  });
});

test("a repetition by the alias across the retirement of any version is news: it needs that version", () => {
  const byAlias = (lastAtMs: number) => [
    aTally({ subject: "alias", error: "IncorrectKeyException", lastAtMs }),
  ];
  const before = after([byAlias(movedAtMs - 1), movedAtMs - 1]);
  const soon = movedAtMs + minuteMs;
  expect(isWritten(before, byAlias(movedAtMs - 1), soon)).toBe(false);
  const { next, mustWrite } = collected(before, byAlias(movedAtMs), versions, soon);
  expect([mustWrite, next.dueAtMs]).toEqual([true, soon]);
});

test("a repetition that another policy than the key policy denies is news: the move may cause it", () => {
  const before = after([[aTally({ byKeyPolicy: true })], startMs]);
  expect(isWritten(before, [aTally({ byKeyPolicy: true })], startMs + 1)).toBe(false);
  const { next } = collected(before, [aTally()], versions, startMs + 1);
  expect(next.dueAtMs).toBe(startMs + 1);
});

test("a repetition ten minutes after a rollback is news: the version is active anew", () => {
  const back = [
    aVersion({ number: 1, keyId: first, activatedAtMs: movedAtMs - 90 * dayMs }),
    aVersion({ number: 2, keyId: second, state: "draining", retiredAtMs: movedAtMs }),
  ];
  const settledAtMs = movedAtMs + 10 * minuteMs;
  const at = (lastAtMs: number) => [aTally({ lastAtMs })];
  const before = collected(none, at(movedAtMs - 1), back, movedAtMs - 1).next;
  expect(isWritten(before, at(settledAtMs - 1), settledAtMs + 1, back)).toBe(false);
  const { next } = collected(before, at(settledAtMs), back, settledAtMs + 1);
  expect(next.dueAtMs).toBe(settledAtMs + 1);
});

describe("the last refusal before the retirement", () => {
  const lastBefore = (...times: number[]) => {
    const steps = times.map((atMs, index): [Tally[], number] => [
      [aTally({ lastAtMs: atMs })],
      startMs + index * hourMs,
    ]);
    return after(...steps).on[first]?.uses[aTally().name]?.lastBeforeMs;
  };

  test("is kept: a caller that the old version refused as well was not locked out by the move", () => {
    expect(lastBefore(movedAtMs - 7)).toBe(movedAtMs - 7);
    expect(lastBefore(movedAtMs - 7, startMs)).toBe(movedAtMs - 7);
    expect(lastBefore(movedAtMs - 7, movedAtMs - 9, movedAtMs - 1)).toBe(movedAtMs - 1);
    expect(lastBefore(movedAtMs)).toBeUndefined();
  });

  test("is known, too, of calls before and after it that came in one tally", () => {
    const both = aTally({ firstAtMs: movedAtMs - 5, lastAtMs: movedAtMs + 5, count: 2 });
    const { on } = after([[both], startMs]);
    expect(on[first]?.uses[both.name]).toMatchObject({ lastBeforeMs: movedAtMs - 5 });
  });
});

describe("in the ten minutes after an activation", () => {
  const settledAtMs = movedAtMs + 10 * minuteMs;
  const at = (subject: string, lastAtMs: number) =>
    isWritten(none, [aTally({ subject, lastAtMs })], movedAtMs + dayMs);

  test("a refusal of the active version is the lag of authorization, and is left out", () => {
    const times = [movedAtMs - 1, movedAtMs, settledAtMs - 1, settledAtMs];
    expect(times.map((atMs) => at(second, atMs))).toEqual([true, false, false, true]);
  });

  test("a refusal of the retired version counts", () => {
    expect(at(first, movedAtMs + 1)).toBe(true);
  });
});

test("a call on a key that is no version yet is handed back, for a later write", () => {
  const early = aTally({ subject: "11111111-2222-3333-4444-555555555555" });
  const given = collected(none, [early, aTally()], versions, startMs);
  expect(given.unknown).toEqual([early]);
  expect(Object.keys(given.next.on)).toEqual([first]);
});

describe("a version that KMS deleted", () => {
  test("is dropped with the next write, and its late events with it", () => {
    const both = after([
      [aTally(), aTally({ subject: second }), aTally({ subject: "alias" })],
      startMs,
    ]);
    const left = versions.slice(1);
    expect(isWritten(both, [aTally()], startMs + dayMs, left)).toBe(false);
    const { next } = collected(both, [aTally({ subject: second })], left, startMs + dayMs);
    expect(Object.keys(next.on)).toEqual([second, "alias"]);
  });
});

test("collecting changes neither what was stored nor the tallies", () => {
  const before = after([manyTallies(30), startMs]);
  const [copy, tallies] = [structuredClone(before), manyTallies(40, { lastAtMs: startMs + 1 })];
  collected(before, tallies, versions, startMs + dayMs);
  expect(before).toEqual(copy);
  expect(tallies).toEqual(manyTallies(40, { lastAtMs: startMs + 1 }));
});
