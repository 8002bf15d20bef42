import { describe, expect, test } from "vitest";
import { minuteMs } from "../fixtures.ts";
import {
  aClaim,
  alias,
  aRecord,
  aStored,
  claimed,
  expectedAfter,
  held,
  nowMs,
  tableSides,
  transitionOf,
} from "./tables.ts";

describe.each(tableSides)("a managed key in %s", (_side, open) => {
  test("that is due and free is claimed: the epoch grows by one, the claim has an expiry", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const expected = {
      ...aRecord(),
      epoch: 1,
      claim: { runId: "run-1", passId: "pass of run-1", epoch: 1, untilMs: nowMs + 5 * minuteMs },
      backoff: { tries: 1, jitter: 0 },
      dueAtMs: nowMs + 6 * minuteMs,
    };
    expect(await table.claim(alias, aClaim())).toStrictEqual({
      kind: "claimed",
      stored: { ...aStored(expected), writes: 1 },
    });
    expect(await table.read(alias)).toStrictEqual({ ...aStored(expected), writes: 1 });
  });

  test("that is claimed is taken until the claim expires, and the answer has the expiry", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const { record } = await claimed(table, aClaim({ dueAgainAtMs: nowMs }));
    const untilMs = record.claim?.untilMs ?? 0;
    const other = aClaim({ runId: "run-2", nowMs: untilMs });
    expect(await table.claim(alias, other)).toEqual({ kind: "taken", untilMs });
    expect(await held(table)).toEqual(record);
    const later = await claimed(table, { ...other, nowMs: untilMs + 1 });
    expect(later.record).toMatchObject({ epoch: 2, claim: { runId: "run-2", epoch: 2 } });
  });

  test("is also taken for the run that holds it: one claim is one epoch", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const { record } = await claimed(table, aClaim({ dueAgainAtMs: nowMs }));
    const untilMs = record.claim?.untilMs;
    expect(await table.claim(alias, aClaim())).toEqual({ kind: "taken", untilMs });
    const another = aClaim({ passId: "another pass" });
    expect(await table.claim(alias, another)).toEqual({ kind: "taken", untilMs });
  });

  test("whose claim expired falls due by itself, and each claim counts as an attempt", async () => {
    const { table } = await open();
    await table.create(aRecord({ backoff: { tries: 3, jitter: 0.25 } }));
    const first = await claimed(table);
    expect(first.record.backoff).toEqual({ tries: 4, jitter: 0.25 });
    const { dueAtMs } = first.record;
    expect((await table.due(dueAtMs - 1, 10)).items).toEqual([]);
    expect((await table.due(dueAtMs, 10)).items).toEqual([{ kind: "managed-key", alias, dueAtMs }]);
    const second = await claimed(table, aClaim({ runId: "run-2", nowMs: dueAtMs }));
    expect(second.record).toMatchObject({ epoch: 2, backoff: { tries: 5, jitter: 0.25 } });
  });

  test("that is not due is not claimed", async () => {
    const { table } = await open();
    await table.create(aRecord({ dueAtMs: nowMs + 1 }));
    expect(await table.claim(alias, aClaim())).toEqual({ kind: "taken" });
    expect(await held(table)).toEqual(aRecord({ dueAtMs: nowMs + 1 }));
  });

  test("that is not due is free once the claim of a crashed run has expired", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const { record } = await claimed(table);
    const laterMs = (record.claim?.untilMs ?? 0) + 1;
    const answer = await table.claim(alias, aClaim({ runId: "run-2", nowMs: laterMs }));
    expect(answer).toEqual({ kind: "taken" });
  });

  test("that is not in the table is neither claimed nor created", async () => {
    const { table } = await open();
    expect(await table.claim(alias, aClaim())).toEqual({ kind: "taken" });
    expect(await table.read(alias)).toBeUndefined();
  });

  test("is claimed by one of many racing runs", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const runs = Array.from({ length: 8 }, (_, run) => `run-${run}`);
    const answers = await Promise.all(runs.map((runId) => table.claim(alias, aClaim({ runId }))));
    const winners = answers.flatMap((answer) => (answer.kind === "claimed" ? [answer] : []));
    expect(winners).toHaveLength(1);
    expect(answers.filter(({ kind }) => kind === "taken")).toHaveLength(7);
    expect(await table.read(alias)).toEqual(winners[0]?.stored);
    expect((await held(table)).epoch).toBe(1);
  });

  test("is claimed by one of many racing passes of one run", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const passes = Array.from({ length: 8 }, (_, pass) => aClaim({ passId: `pass-${pass}` }));
    const answers = await Promise.all(passes.map((one) => table.claim(alias, one)));
    expect(answers.filter(({ kind }) => kind === "claimed")).toHaveLength(1);
    expect((await held(table)).epoch).toBe(1);
  });

  test("returns all that the last run wrote to the run that claims it", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const first = await claimed(table);
    const { record, ...rest } = first;
    const { claim: _, ...released } = { ...record, dueAtMs: nowMs, unsettled: [] };
    const written = { ...rest, record: { ...released, unlistedAliases: ["alias/other"] } };
    expect(await table.write(written, expectedAfter(first))).toEqual({ kind: "written" });
    const next = await claimed(table, aClaim({ runId: "run-2" }));
    expect(next.record).toMatchObject({ epoch: 2, unlistedAliases: ["alias/other"] });
  });
});

describe.each(tableSides)("a managed key with a request, in %s", (_side, open) => {
  test("is claimed although it is not due, and then falls due as after any claim", async () => {
    const { table } = await open();
    await table.create(aRecord({ dueAtMs: nowMs + 90 * minuteMs }));
    const { record } = await claimed(table, aClaim({ taking: "asked" }));
    expect(record).toMatchObject({ epoch: 1, dueAtMs: nowMs + 6 * minuteMs });
    expect(await held(table)).toEqual(record);
  });

  test("is taken while a run holds it, and the answer has the expiry", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const { record } = await claimed(table);
    const untilMs = record.claim?.untilMs ?? 0;
    const asked = aClaim({ runId: "run-2", nowMs: untilMs, taking: "asked" });
    expect(await table.claim(alias, asked)).toEqual({ kind: "taken", untilMs });
    expect(await held(table)).toEqual(record);
    expect((await claimed(table, { ...asked, nowMs: untilMs + 1 })).record.epoch).toBe(2);
  });

  test("is not created by a claim", async () => {
    const { table } = await open();
    for (const taking of ["asked", "force"] as const) {
      expect(await table.claim(alias, aClaim({ taking }))).toEqual({ kind: "taken" });
    }
    expect(await table.read(alias)).toBeUndefined();
  });
});

describe.each(tableSides)("a forced claim in %s", (_side, open) => {
  test("takes a managed key that is not due from the run that holds it; that run's writes fail", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const first = await claimed(table);
    const forced = await claimed(table, aClaim({ runId: "run-2", taking: "force" }));
    expect(forced.record).toMatchObject({
      epoch: 2,
      claim: { runId: "run-2", epoch: 2, untilMs: nowMs + 5 * minuteMs },
    });
    expect(await table.write(transitionOf(first), expectedAfter(first))).toEqual({ kind: "lost" });
    expect(await table.read(alias)).toEqual(forced);
    const written = await table.write(transitionOf(forced), expectedAfter(forced));
    expect(written).toEqual({ kind: "written" });
  });

  test("by the run that holds it is also a new epoch", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const first = await claimed(table);
    expect((await claimed(table, aClaim({ taking: "force" }))).record.epoch).toBe(2);
    expect(await table.write(transitionOf(first), expectedAfter(first))).toEqual({ kind: "lost" });
  });

  test("succeeds for each of several runs in the end, one epoch after the other", async () => {
    const { table } = await open();
    await table.create(aRecord());
    await claimed(table);
    const runs = Array.from({ length: 4 }, (_, run) => `run-${run + 2}`);
    const epochs = await Promise.all(
      runs.map(async (runId) => {
        for (;;) {
          const answer = await table.claim(alias, aClaim({ runId, taking: "force" }));
          if (answer.kind === "claimed") return answer.stored.record.epoch;
          expect(answer).toEqual({ kind: "taken", untilMs: nowMs + 5 * minuteMs });
        }
      }),
    );
    expect(epochs.sort()).toEqual([2, 3, 4, 5]);
    expect((await held(table)).epoch).toBe(5);
  });
});

describe.each(tableSides)("a nudge in %s", (_side, open) => {
  test("makes a managed key due", async () => {
    const { table } = await open();
    await table.create(aRecord({ dueAtMs: nowMs + minuteMs }));
    expect(await table.nudge(alias, nowMs)).toBe(true);
    expect(await held(table)).toStrictEqual(aRecord({ dueAtMs: nowMs }));
  });

  test("records a suspicion, and removes none", async () => {
    const { table } = await open();
    await table.create(aRecord({ dueAtMs: nowMs + minuteMs }));
    await table.nudge(alias, nowMs, { suspectedAtMs: nowMs });
    await table.nudge(alias, nowMs + 1);
    expect(await held(table)).toStrictEqual(aRecord({ dueAtMs: nowMs + 1, suspectedAtMs: nowMs }));
  });

  test("is rejected while a run has the claim, and accepted once that expired", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const { record } = await claimed(table);
    const untilMs = record.claim?.untilMs ?? 0;
    expect(await table.nudge(alias, untilMs, { suspectedAtMs: untilMs })).toBe(false);
    expect(await held(table)).toEqual(record);
    expect(await table.nudge(alias, untilMs + 1, { suspectedAtMs: untilMs + 1 })).toBe(true);
    expect(await held(table)).toEqual({
      ...record,
      dueAtMs: untilMs + 1,
      suspectedAtMs: untilMs + 1,
    });
  });

  test("survives the late write of a run whose claim expired", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const stored = await claimed(table);
    const { claim, revision, epoch } = stored.record;
    const afterMs = (claim?.untilMs ?? 0) + 1;
    await table.nudge(alias, afterMs, { suspectedAtMs: afterMs });
    const late = { ...stored, writes: stored.writes + 1 };
    const expected = { revision, epoch, writes: stored.writes };
    expect(await table.write(late, expected)).toEqual({ kind: "lost" });
    expect((await held(table)).suspectedAtMs).toBe(afterMs);
  });

  test("creates no record", async () => {
    const { table } = await open();
    expect(await table.nudge(alias, nowMs, { suspectedAtMs: nowMs })).toBe(false);
    expect(await table.read(alias)).toBeUndefined();
    expect((await table.due(nowMs, 10)).items).toEqual([]);
  });
});
