/** RefusedUses: what the second function writes, and a run reads. */
import { describe, expect, test } from "vitest";
import type { DueItem } from "../../lambda/ports.ts";
import type { Refusals, RefusalsWatch } from "../../lambda/workflow/model/types.ts";
import { minuteMs } from "../fixtures.ts";
import { alias, aRecord, aStored, keyId, nowMs, tableSides } from "./tables.ts";

const use = {
  principal: "arn:aws:sts::000000000000:assumed-role/ünïcode",
  operation: "Decrypt",
  error: "AccessDenied",
  firstAtMs: nowMs,
  lastAtMs: nowMs + 1,
  count: 3,
  storedAtMs: nowMs,
};
const others = {
  ...{
    firstAtMs: 0,
    lastAtMs: nowMs,
    count: 380,
    grownAtMs: nowMs,
    joinedAtMs: nowMs,
    storedAtMs: nowMs,
  },
  ...{ known: { "a-name_000": [0, nowMs] as [number, number] }, isFull: true as const },
};

function refusals(revision: number, changes: Partial<Refusals> = {}): Refusals {
  const on = {
    [keyId]: { uses: { "name-1": use, "name-2": { ...use, byKeyPolicy: true as const } }, others },
    alias: { uses: {} },
  };
  return { revision, on, ...changes };
}
const watch: RefusalsWatch = {
  ...{ revision: 1, heardAtMs: nowMs, sinceMs: 0, unattributed: 12, storedAtMs: nowMs },
};
const due = (dueAtMs: number, of = alias): DueItem => ({ kind: "refusals", alias: of, dueAtMs });

describe.each(tableSides)("the refused uses of a managed key in %s", (_side, open) => {
  test("are read as they were saved", async () => {
    const { table } = await open();
    expect(await table.refusals(alias)).toBeUndefined();
    for (const next of [refusals(1, { dueAtMs: nowMs }), refusals(2), { revision: 3, on: {} }]) {
      expect(await table.saveRefusals(alias, next, next.revision - 1)).toBe(true);
      expect(await table.refusals(alias)).toStrictEqual(next);
    }
    expect(await table.refusals("alias/other")).toBeUndefined();
  });

  test("are saved only where nobody saved them since they were read", async () => {
    const { table } = await open();
    await table.saveRefusals(alias, refusals(1), 0);
    expect(await table.saveRefusals(alias, refusals(1, { on: {} }), 0)).toBe(false);
    expect(await table.saveRefusals(alias, refusals(3, { on: {} }), 2)).toBe(false);
    expect(await table.refusals(alias)).toStrictEqual(refusals(1));
    expect(await table.saveRefusals(alias, refusals(2), 1)).toBe(true);
  });

  test("of two that save them at once, one wins", async () => {
    const { table } = await open();
    const saves = [1, 2, 3, 4].map((dueAtMs) =>
      table.saveRefusals(alias, refusals(1, { dueAtMs }), 0),
    );
    expect((await Promise.all(saves)).filter((isSaved) => isSaved)).toHaveLength(1);
  });

  test("do not change when a caller changes its copy", async () => {
    const { table } = await open();
    const saved = refusals(1);
    await table.saveRefusals(alias, saved, 0);
    saved.on = {};
    const read = await table.refusals(alias);
    expect(read).toStrictEqual(refusals(1));
    if (read !== undefined) read.on = {};
    expect(await table.refusals(alias)).toStrictEqual(refusals(1));
  });

  test("are apart from the record: each is written without the other", async () => {
    const { table } = await open();
    await table.create(aRecord());
    await table.saveRefusals(alias, refusals(1, { dueAtMs: nowMs }), 0);
    expect(await table.read(alias)).toStrictEqual(aStored());
    expect(await table.requests(alias)).toEqual([]);
    await table.nudge(alias, nowMs + 1);
    expect(await table.refusals(alias)).toStrictEqual(refusals(1, { dueAtMs: nowMs }));
  });
});

describe.each(tableSides)("refused uses fall due in %s", (_side, open) => {
  test("at their time, beside the managed keys", async () => {
    const { table } = await open();
    await table.create(aRecord({ dueAtMs: nowMs - minuteMs }));
    await table.saveRefusals(alias, refusals(1, { dueAtMs: nowMs }), 0);
    await table.saveRefusals("alias/b", refusals(1, { dueAtMs: nowMs - 2 * minuteMs }), 0);
    await table.saveRefusals("alias/quiet", refusals(1), 0);
    expect((await table.due(nowMs, 10)).items).toEqual([
      due(nowMs - 2 * minuteMs, "alias/b"),
      { kind: "managed-key", alias, dueAtMs: nowMs - minuteMs },
      due(nowMs),
    ]);
    expect((await table.due(nowMs - 1, 10)).items).not.toContainEqual(due(nowMs));
  });

  test("until a run has read them, and stay stored", async () => {
    const { table } = await open();
    await table.saveRefusals(alias, refusals(1, { dueAtMs: nowMs }), 0);
    await table.refusalsRead(alias, 1);
    expect((await table.due(nowMs, 10)).items).toEqual([]);
    expect(await table.refusals(alias)).toStrictEqual(refusals(2));
    await table.refusalsRead(alias, 1);
    expect(await table.saveRefusals(alias, refusals(3, { dueAtMs: nowMs + 1 }), 2)).toBe(true);
    expect((await table.due(nowMs + 1, 10)).items).toEqual([due(nowMs + 1)]);
  });

  test("and no copy from before that read makes them due again", async () => {
    const { table } = await open();
    await table.saveRefusals(alias, refusals(1, { dueAtMs: nowMs }), 0);
    await table.refusalsRead(alias, 1);
    expect(await table.saveRefusals(alias, refusals(2, { dueAtMs: nowMs }), 1)).toBe(false);
    expect((await table.due(nowMs, 10)).items).toEqual([]);
  });

  test("also where a run has read an earlier revision only", async () => {
    const { table } = await open();
    await table.saveRefusals(alias, refusals(1, { dueAtMs: nowMs }), 0);
    await table.saveRefusals(alias, refusals(2, { dueAtMs: nowMs + 1 }), 1);
    for (const revision of [0, 1, 3]) await table.refusalsRead(alias, revision);
    expect((await table.due(nowMs + 1, 10)).items).toEqual([due(nowMs + 1)]);
  });

  test("no longer once they are saved without a time", async () => {
    const { table } = await open();
    await table.saveRefusals(alias, refusals(1, { dueAtMs: nowMs }), 0);
    await table.saveRefusals(alias, refusals(2), 1);
    expect((await table.due(nowMs, 10)).items).toEqual([]);
  });
});

describe.each(tableSides)("refused uses that are forgotten in %s", (_side, open) => {
  test("are deleted, and not due; forgetting and reading none changes nothing", async () => {
    const { table } = await open();
    for (const forget of [0, 1]) {
      await table.saveRefusals(alias, refusals(1 + forget, { dueAtMs: nowMs }), 0);
      await table.forgetRefusals(alias);
      await table.forgetRefusals(alias);
      await table.refusalsRead(alias, 1);
      expect(await table.refusals(alias)).toBeUndefined();
      expect((await table.due(nowMs, 10)).items).toEqual([]);
    }
  });

  test("are saved again by a process that had read them: it loses nothing", async () => {
    const { table } = await open();
    await table.saveRefusals(alias, refusals(1), 0);
    await table.forgetRefusals(alias);
    expect(await table.saveRefusals(alias, refusals(2), 1)).toBe(true);
    expect(await table.refusals(alias)).toStrictEqual(refusals(2));
  });
});

describe.each(tableSides)("the watch over refused uses in %s", (_side, open) => {
  test("is one item, saved only where nobody saved it since it was read, and never due", async () => {
    const { table } = await open();
    expect(await table.refusalsWatch()).toBeUndefined();
    expect(await table.saveRefusalsWatch(watch, 0)).toBe(true);
    expect(await table.refusalsWatch()).toStrictEqual(watch);
    const next = { ...watch, revision: 2, unattributed: 0 };
    expect(await table.saveRefusalsWatch(next, 0)).toBe(false);
    expect(await table.saveRefusalsWatch(next, 1)).toBe(true);
    expect(await table.refusalsWatch()).toStrictEqual(next);
    expect((await table.due(Number.MAX_SAFE_INTEGER, 10)).items).toEqual([]);
  });

  test("is no managed key's: its canaries are not those of use attempts", async () => {
    const { table } = await open();
    await table.saveRefusalsWatch(watch, 0);
    expect(await table.heardAtMs()).toBeUndefined();
    expect(await table.refusals("")).toBeUndefined();
  });
});
