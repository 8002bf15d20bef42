/** The further uses beyond the first twenty of a version: one id stands for them all. */
import { describe, expect, test } from "vitest";
import { collected, none } from "../../lambda/refusals/collected.ts";
import type { Tally } from "../../lambda/refusals/tally.ts";
import type { OtherRefusals, Refusals } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { first, second } from "../inbound/cloudtrail.ts";
import { aVersion } from "../contract/tables.ts";
import { aTally, manyTallies, movedAtMs, startMs, versionsOf } from "./collecting.ts";

const versions = versionsOf();

function written(before: Refusals, tallies: Tally[], nowMs: number): Refusals {
  const { next, mustWrite } = collected(before, tallies, versions, nowMs);
  expect(mustWrite).toBe(true);
  return next;
}
const isWritten = (before: Refusals, tallies: Tally[], nowMs: number): boolean =>
  collected(before, tallies, versions, nowMs).mustWrite;

function othersOn(stored: Refusals, keyId = first): OtherRefusals {
  const { others } = stored.on[keyId] ?? {};
  if (others === undefined) throw new Error("no others");
  return others;
}
const named = (name: string, changes: Partial<Tally> = {}): Tally =>
  aTally({ principal: `arn:aws:iam::111122223333:role/${name}`, ...changes });

describe("the first twenty uses of a version", () => {
  const full = written(none, manyTallies(520), startMs);

  test("keep an id of their own, in the order in which they came", () => {
    const names = manyTallies(20).map(({ name }) => name);
    expect(Object.keys(full.on[first]?.uses ?? {})).toEqual(names);
    expect(othersOn(full)).toMatchObject({ firstAtMs: startMs, count: 500, grownAtMs: startMs });
  });

  test("are never evicted, however many follow", () => {
    let stored = full;
    for (let hour = 1; hour < 30; hour++) {
      const nowMs = startMs + hour * hourMs;
      const more = manyTallies(1000, { error: `Error${hour}`, lastAtMs: nowMs });
      stored = written(stored, more, nowMs);
    }
    expect(stored.on[first]?.uses).toEqual(full.on[first]?.uses);
  });

  test("of one version take no room from another", () => {
    const stored = written(full, [aTally({ subject: second })], startMs);
    expect(Object.keys(stored.on[second]?.uses ?? {})).toHaveLength(1);
  });
});

describe("a caller among the others that becomes a need", () => {
  const before = written(
    written(none, manyTallies(20, { lastAtMs: movedAtMs - dayMs }), movedAtMs - dayMs),
    [named("v", { lastAtMs: movedAtMs - dayMs })],
    movedAtMs - dayMs,
  );

  test("joins them anew: an approval from before does not accept it", () => {
    const after = written(before, [named("v")], startMs);
    expect(othersOn(after).joinedAtMs).toBe(startMs);
    const again = written(after, [named("v", { lastAtMs: startMs + 1 })], startMs + 2 * hourMs);
    expect(othersOn(again).joinedAtMs).toBe(startMs);
  });

  test("keeps the time of its last refusal before the retirement", () => {
    const after = written(before, [named("v")], startMs);
    const { name } = named("v");
    expect(othersOn(after).known[name]).toEqual([movedAtMs - dayMs, startMs, movedAtMs - dayMs]);
  });
});

describe("what never joins the others", () => {
  const twenty = written(none, manyTallies(20), startMs);
  const joins = (tally: Tally, isAccepted: (one: Tally) => boolean = () => false): boolean =>
    collected(twenty, [tally], versions, startMs, isAccepted).next.on[tally.subject]?.others !==
    undefined;

  test("is a caller that only originates with a retired version: it delays nothing", () => {
    expect(joins(named("a"))).toBe(true);
    expect(joins(named("a", { operation: "Encrypt" }))).toBe(false);
  });

  test("is a caller that the configuration accepts", () => {
    expect(joins(named("a"), ({ name }) => name === named("a").name)).toBe(false);
  });
});

describe("a caller beyond the first twenty", () => {
  const twenty = written(none, manyTallies(20), startMs);
  const one = written(twenty, [named("a")], startMs + 1);
  const soonMs = startMs + 2 * minuteMs;

  test("has a name, and makes the managed key due at once: the queue keeps no copy of it", () => {
    const two = written(one, [named("b", { lastAtMs: soonMs })], soonMs);
    expect(two.dueAtMs).toBe(soonMs);
    expect(othersOn(two)).toMatchObject({ count: 2, grownAtMs: soonMs, lastAtMs: soonMs });
    expect(othersOn(two).known).toEqual({
      [named("a").name]: [startMs, startMs],
      [named("b").name]: [soonMs, soonMs],
    });
  });

  test("is no growth when it is refused again, and is written hourly", () => {
    const again = [named("a", { lastAtMs: soonMs })];
    expect(isWritten(one, again, soonMs)).toBe(false);
    const later = written(one, again, startMs + 1 + hourMs);
    expect(othersOn(later)).toMatchObject({ count: 2, grownAtMs: startMs, lastAtMs: soonMs });
    expect(later.dueAtMs).toBe(one.dueAtMs);
  });

  test("is news when it is refused across a boundary, also just after another write", () => {
    const old = { subject: second, lastAtMs: movedAtMs - 1 };
    const before = written(none, [...manyTallies(20, old), named("a", old)], movedAtMs - 1);
    const settledAtMs = movedAtMs + 10 * minuteMs;
    const more = written(before, [named("b", { ...old, lastAtMs: settledAtMs })], settledAtMs);
    const across = [named("a", { subject: second, lastAtMs: settledAtMs })];
    expect(written(more, across, settledAtMs + 1).dueAtMs).toBe(settledAtMs + 1);
  });
});

describe("more callers than the item names", () => {
  const full = written(none, manyTallies(400), startMs);
  const laterMs = startMs + 20 * minuteMs;

  test("are counted, and the item says so", () => {
    const { known, ...others } = othersOn(full);
    expect(Object.keys(known)).toHaveLength(300);
    expect(others).toMatchObject({ count: 380, isFull: true });
  });

  test("are written every ten minutes while they are refused", () => {
    const more = [named("more", { lastAtMs: laterMs })];
    expect(isWritten(full, more, startMs + 10 * minuteMs - 1)).toBe(false);
    expect(isWritten(full, more, startMs + 10 * minuteMs)).toBe(true);
    const next = written(full, more, laterMs);
    expect([next.dueAtMs, othersOn(next).grownAtMs]).toEqual([laterMs, laterMs]);
  });

  test("are written even where a known caller is refused beside them", () => {
    const known = manyTallies(25, { lastAtMs: laterMs }).at(-1) ?? aTally();
    const both = [known, named("more", { lastAtMs: laterMs })];
    expect(written(full, both, laterMs).dueAtMs).toBe(laterMs);
  });
});

test("the item stays below 100 KB, with any number of versions and any names", () => {
  const long = "\u4e2d".repeat(256);
  const many = Array.from({ length: 60 }, (_, number) => {
    return aVersion({ number, keyId: `${String(number).padStart(8, "0")}${first.slice(8)}` });
  });
  let stored = none;
  for (const [index, { keyId }] of many.entries()) {
    const tallies = manyTallies(500).map(({ principal }) =>
      aTally({ subject: keyId, principal: `${principal}${long}`.slice(0, 256) }),
    );
    const nowMs = startMs + index * dayMs;
    stored = collected(stored, tallies, many, nowMs).next;
    expect(stored.dueAtMs).toBe(nowMs);
    expect(stored.on[keyId]?.others?.count).toBeGreaterThan(479);
  }
  expect(Buffer.byteLength(JSON.stringify(stored))).toBeLessThan(100_000);
});
