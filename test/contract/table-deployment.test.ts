import { describe, expect, test } from "vitest";
import { minuteMs } from "../fixtures.ts";
import { aFinding, nowMs, tableSides } from "./tables.ts";

const untilMs = nowMs + minuteMs;

describe.each(tableSides)("the run claim in %s", (_side, open) => {
  test("belongs to one run, which may renew it", async () => {
    const { table } = await open();
    expect(await table.takeRunClaim("run-1", nowMs, untilMs)).toBe(true);
    expect(await table.takeRunClaim("run-2", nowMs, untilMs)).toBe(false);
    expect(await table.takeRunClaim("run-1", nowMs, untilMs + minuteMs)).toBe(true);
    expect(await table.takeRunClaim("run-2", untilMs + 1, untilMs + 2)).toBe(false);
  });

  test("expires, and then another run can take it", async () => {
    const { table } = await open();
    await table.takeRunClaim("run-1", nowMs, untilMs);
    expect(await table.takeRunClaim("run-2", untilMs, untilMs + minuteMs)).toBe(false);
    expect(await table.takeRunClaim("run-2", untilMs + 1, untilMs + minuteMs)).toBe(true);
    expect(await table.takeRunClaim("run-1", untilMs + 1, untilMs + minuteMs)).toBe(false);
  });

  test("is released only by the run that holds it", async () => {
    const { table } = await open();
    await table.takeRunClaim("run-1", nowMs, untilMs);
    await table.releaseRunClaim("run-2");
    expect(await table.takeRunClaim("run-2", nowMs, untilMs)).toBe(false);
    await table.releaseRunClaim("run-1");
    await table.releaseRunClaim("run-1");
    expect(await table.takeRunClaim("run-2", nowMs, untilMs)).toBe(true);
  });

  test("goes to one of many runs that start at once", async () => {
    const { table } = await open();
    const runs = Array.from({ length: 8 }, (_, run) => `run-${run}`);
    const taken = await Promise.all(runs.map((run) => table.takeRunClaim(run, nowMs, untilMs)));
    expect(taken.filter(Boolean)).toHaveLength(1);
  });
});

describe.each(tableSides)("the canary in %s", (_side, open) => {
  test("has the time of its latest event; a late earlier event changes nothing", async () => {
    const { table } = await open();
    expect(await table.heardAtMs()).toBeUndefined();
    await table.heard(nowMs);
    await table.heard(nowMs - minuteMs);
    expect(await table.heardAtMs()).toBe(nowMs);
    await table.heard(nowMs + minuteMs);
    expect(await table.heardAtMs()).toBe(nowMs + minuteMs);
    expect((await table.due(nowMs + 2 * minuteMs, 10)).items).toEqual([]);
  });
});

describe.each(tableSides)("the audit in %s", (_side, open) => {
  test("keeps the last result until the next audit has another", async () => {
    const { table, auditFindings } = await open();
    await table.schedule("audit", nowMs, undefined);
    expect(await auditFindings()).toEqual([]);
    await table.schedule("audit", nowMs + 1, [aFinding({ code: "UNKNOWN_KEY" })]);
    await table.schedule("audit", nowMs + 2, undefined);
    expect(await auditFindings()).toEqual([aFinding({ code: "UNKNOWN_KEY" })]);
    await table.schedule("audit", nowMs + 3, []);
    expect(await auditFindings()).toEqual([]);
  });

  test("falls due once, at its last schedule", async () => {
    const { table } = await open();
    await table.schedule("audit", nowMs, undefined);
    await table.schedule("audit", nowMs + minuteMs, []);
    expect((await table.due(nowMs, 10)).items).toEqual([]);
    expect((await table.due(nowMs + minuteMs, 10)).items).toEqual([
      { kind: "chore", chore: "audit", dueAtMs: nowMs + minuteMs },
    ]);
  });
});
