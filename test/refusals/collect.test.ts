/** What the second function stores of the queue's messages, and what it reads for that. */
import { describe, expect, test } from "vitest";
import { aRecord } from "../contract/tables.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { first, second } from "../inbound/cloudtrail.ts";
import {
  aCollector,
  canaryOf,
  deniedUse,
  incorrectKey,
  orders,
  startMs,
  unattributed,
  versionsOf,
  type Collecting,
} from "./collecting.ts";

const nothing = { failed: [], unattributed: 0 };
const saves = ({ requests }: Collecting) =>
  requests.filter((request) => request.startsWith("saveRefusals"));
const isDue = async ({ table, clock }: Collecting) =>
  (await table.due(clock.nowMs(), 10)).items.some(({ kind }) => kind === "refusals");

describe("a refused use of a managed key", () => {
  test("is stored before its batch is acknowledged, and makes the managed key due", async () => {
    const there = await aCollector();
    expect(await there.collect(deniedUse())).toEqual(nothing);
    expect(saves(there)).toEqual([`saveRefusals ${orders}`]);
    expect(await isDue(there)).toBe(true);
    expect(Object.values((await there.on()).uses)).toMatchObject([
      { count: 1, operation: "Decrypt" },
    ]);
  });

  test("is one use for all sessions of its role, in one write a batch", async () => {
    const there = await aCollector();
    await there.collect(...Array.from({ length: 100 }, () => deniedUse()), deniedUse({ by: "b" }));
    expect(saves(there)).toHaveLength(1);
    const counts = Object.values((await there.on()).uses).map(({ count }) => count);
    expect(counts).toEqual([100, 1]);
  });

  test("is written again after an hour, with all that came in between", async () => {
    const there = await aCollector();
    const { clock } = there;
    for (let minute = 0; minute < 180; minute++) {
      await there.collect(deniedUse({ atMs: clock.nowMs() }));
      clock.advance(minuteMs);
    }
    expect(saves(there)).toHaveLength(3);
    expect(Object.values((await there.on()).uses)).toMatchObject([
      { count: 121, firstAtMs: startMs, lastAtMs: startMs + 2 * hourMs },
    ]);
  });

  test("is never in the future: a run compares its time with its own", async () => {
    const there = await aCollector();
    await there.collect(deniedUse({ atMs: startMs + 900 * dayMs }));
    expect(Object.values((await there.on()).uses)).toMatchObject([{ lastAtMs: startMs }]);
  });

  test("of a version that KMS deleted is dropped at the next write", async () => {
    const there = await aCollector();
    await there.collect(deniedUse(), deniedUse({ keyId: second }));
    const stored = await there.twin.read(orders);
    if (stored === undefined) throw new Error("no record");
    const record = { ...stored.record, versions: versionsOf().slice(1) };
    there.twin.put({ ...stored, record });
    there.clock.advance(minuteMs);
    await there.collect(deniedUse({ keyId: second, by: "another" }), deniedUse());
    expect(Object.keys((await there.stored())?.on ?? {})).toEqual([second]);
  });

  test.each([
    ["an alias of its set", "alias/orders-eu"],
    ["its own alias", orders],
    ["the id of one of its keys", second],
  ])("for data of another version is known by %s", async (_what, named) => {
    const there = await aCollector();
    await there.collect(incorrectKey(named));
    expect(Object.values((await there.on("alias")).uses)).toMatchObject([
      { error: "IncorrectKeyException" },
    ]);
  });
});

describe("a refused use of another key", () => {
  test.each([
    ["key", deniedUse(), `boundTo ${first}`],
    ["alias", incorrectKey("alias/other"), "read alias/other"],
  ])("costs one read of the %s a minute, and nothing else", async (_what, event, read) => {
    const there = await aCollector({});
    const { clock, requests } = there;
    for (let second = 0; second < 120; second++) {
      expect(await there.collect(event, event, event)).toEqual(nothing);
      clock.advance(1000);
    }
    expect(requests).toEqual([read, read]);
  });

  test("is found within a minute of its enrolment", async () => {
    const there = await aCollector({});
    await there.collect(deniedUse());
    await there.twin.create(aRecord({ alias: orders, versions: versionsOf() }));
    await there.twin.bind(first, orders, startMs);
    there.clock.advance(minuteMs);
    await there.collect(deniedUse());
    expect(Object.keys((await there.on()).uses)).toHaveLength(1);
  });
});

describe("a flood of callers of one version", () => {
  const by = (from: number, count: number, keyId = first) =>
    Array.from({ length: count }, (_, index) => deniedUse({ keyId, by: `r${from + index}` }));

  test("hides no first refusal of another version", async () => {
    const there = await aCollector();
    for (let batch = 0; batch < 5; batch++) await there.collect(...by(batch * 1000, 1000));
    there.forget();
    await there.collect(deniedUse({ keyId: second, by: "locked-out" }));
    expect(saves(there)).toHaveLength(1);
    expect(Object.values((await there.on(second)).uses)).toHaveLength(1);
  });

  test("waits in memory that does not grow with it", async () => {
    const there = await aCollector();
    for (let batch = 0; batch < 5; batch++) await there.collect(...by(batch * 1000, 1000));
    there.clock.advance(20 * minuteMs);
    await there.collect(deniedUse({ by: "one-more" }));
    const { others } = await there.on();
    expect(others?.count).toBeGreaterThan(2000);
    expect(others?.count).toBeLessThan(5000);
  });
});

describe("a batch", () => {
  test("of messages that are no event, or name no key, stores and fails nothing", async () => {
    const there = await aCollector();
    const events = ["text", null, [], {}, { detail: { userAgent: {} } }];
    expect(await there.collect(...events)).toEqual(nothing);
    expect(there.requests).toEqual([]);
    expect(await there.collect(unattributed(), unattributed())).toEqual({
      failed: [],
      unattributed: 2,
    });
    expect(await there.table.refusalsWatch()).toMatchObject({ unattributed: 2 });
  });

  test("counts each event that names no key, though the count is stored hourly", async () => {
    const there = await aCollector();
    for (let minute = 0; minute <= 120; minute++) {
      await there.collect(unattributed());
      there.clock.advance(minuteMs);
    }
    expect(await there.table.refusalsWatch()).toMatchObject({ unattributed: 121 });
    const writes = there.requests.filter((request) => request === "saveRefusalsWatch");
    expect(writes).toHaveLength(3);
  });

  test("with a canary proves that refused uses are collected, at the latest now", async () => {
    const there = await aCollector();
    await there.collect(canaryOf(startMs - hourMs));
    expect(await there.table.refusalsWatch()).toMatchObject({ heardAtMs: startMs - hourMs });
    await there.collect(canaryOf(startMs + dayMs));
    expect(await there.table.refusalsWatch()).toMatchObject({ heardAtMs: startMs });
  });

  test("that is empty reads nothing", async () => {
    const there = await aCollector();
    expect(await there.collect()).toEqual(nothing);
    expect(there.requests).toEqual([]);
  });
});
