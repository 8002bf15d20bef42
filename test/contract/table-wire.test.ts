/** The faults of the wire for table requests; the SDK retries them, each on its condition. */
import { expect, test } from "vitest";
import type { Fault } from "../../embedded-aws/http/faults.ts";
import { minuteMs } from "../fixtures.ts";
import {
  aClaim,
  alias,
  aRecord,
  aStored,
  aVersion,
  aWireTableLab,
  claimed,
  expectedAfter,
  held,
  keyId,
  nowMs,
  transitionOf,
  type WireTableLab,
} from "./tables.ts";

const untilMs = nowMs + minuteMs;

/** Breaks the next request of an operation; `count` counts the requests. */
function breakNext(lab: WireTableLab, operation: string, fault: Fault): { observed: () => number } {
  let left = 1;
  lab.aws.resetCalls();
  lab.aws.fault = (_service, name) => (name === operation && left-- > 0 ? fault : undefined);
  return { observed: () => lab.aws.calls().dynamodb[operation] ?? 0 };
}

async function withARecord(): Promise<WireTableLab> {
  const lab = await aWireTableLab();
  await lab.table.create(aRecord());
  return lab;
}

test("a claim whose answer was lost is recognised as the run's own", async () => {
  const lab = await withARecord();
  const { observed } = breakNext(lab, "UpdateItem", { kind: "lost" });
  const stored = await claimed(lab.table);
  expect(observed()).toBe(2);
  expect(stored.record).toMatchObject({ epoch: 1, backoff: { tries: 1 } });
  expect(await lab.table.read(alias)).toEqual(stored);
});

test("a dropped claim is made once, by the retry", async () => {
  const lab = await withARecord();
  const { observed } = breakNext(lab, "UpdateItem", { kind: "drop" });
  expect((await claimed(lab.table)).record.epoch).toBe(1);
  expect(observed()).toBe(2);
});

test("a claim that another run made meanwhile is not the run's own", async () => {
  const lab = await withARecord();
  let answer: Promise<unknown> | undefined;
  lab.aws.fault = (_service, name) => {
    if (name !== "UpdateItem" || answer !== undefined) return undefined;
    answer = lab.table.claim(alias, aClaim({ runId: "run-2" }));
    return { kind: "delay", ms: 50 };
  };
  expect(await lab.table.claim(alias, aClaim())).toMatchObject({ kind: "taken" });
  expect(await answer).toMatchObject({ kind: "claimed" });
});

test("a claim that another pass of the same run made meanwhile is not the pass's own", async () => {
  const lab = await withARecord();
  let answer: Promise<unknown> | undefined;
  lab.aws.fault = (_service, name) => {
    if (name !== "UpdateItem" || answer !== undefined) return undefined;
    answer = lab.table.claim(alias, aClaim({ passId: "another pass" }));
    return { kind: "delay", ms: 50 };
  };
  expect(await lab.table.claim(alias, aClaim())).toMatchObject({ kind: "taken" });
  expect(await answer).toMatchObject({ kind: "claimed" });
});

test("a write that arrives again after an announced call does not erase the call", async () => {
  const lab = await withARecord();
  const stored = await claimed(lab.table);
  const noted = {
    ...stored,
    writes: 2,
    record: { ...stored.record, waitingFor: "is about to call" },
  };
  expect(await lab.table.write(noted, expectedAfter(stored))).toEqual({ kind: "written" });
  const unsettled = [{ epoch: 1, untilMs }];
  const announced = { ...noted, writes: 3, record: { ...noted.record, unsettled } };
  expect(await lab.table.write(announced, expectedAfter(noted))).toEqual({ kind: "written" });
  expect(await lab.table.write(noted, expectedAfter(stored))).toEqual({ kind: "lost" });
  expect(await lab.table.read(alias)).toEqual(announced);
});

test("a claim decided before another run started and ended is not made: its epoch is used", async () => {
  const lab = await withARecord();
  let meanwhile: Promise<unknown> | undefined;
  const another = async () => {
    const first = await claimed(lab.table, aClaim({ runId: "run-2" }));
    const { claim: _, ...released } = { ...first.record, dueAtMs: nowMs };
    return lab.table.write({ ...first, record: released }, expectedAfter(first));
  };
  lab.aws.fault = (_service, name) => {
    if (name !== "UpdateItem" || meanwhile !== undefined) return undefined;
    meanwhile = another();
    return { kind: "delay", ms: 1000 };
  };
  expect(await lab.table.claim(alias, aClaim())).toEqual({ kind: "taken" });
  expect(await meanwhile).toEqual({ kind: "written" });
  expect((await claimed(lab.table, aClaim({ runId: "run-3" }))).record.epoch).toBe(2);
});

test("a forced claim whose answer was lost is recognised as the run's own, and made once", async () => {
  const lab = await withARecord();
  await claimed(lab.table);
  const { observed } = breakNext(lab, "UpdateItem", { kind: "lost" });
  const stored = await claimed(lab.table, aClaim({ runId: "run-2", taking: "force" }));
  expect(observed()).toBe(2);
  expect(stored.record).toMatchObject({ epoch: 2, claim: { runId: "run-2" } });
  expect(await lab.table.read(alias)).toEqual(stored);
});

test("a forced claim that another one overtakes is not made: its epoch is used", async () => {
  const lab = await withARecord();
  let overtaking: Promise<unknown> | undefined;
  lab.aws.fault = (_service, name) => {
    if (name !== "UpdateItem" || overtaking !== undefined) return undefined;
    overtaking = lab.table.claim(alias, aClaim({ runId: "run-2", taking: "force" }));
    return { kind: "delay", ms: 2000 };
  };
  const forced = aClaim({ taking: "force" });
  expect(await lab.table.claim(alias, forced)).toMatchObject({ kind: "taken" });
  expect(await overtaking).toMatchObject({ kind: "claimed" });
  expect((await claimed(lab.table, forced)).record).toMatchObject({ epoch: 2 });
});

test("a write whose answer was lost is recognised as the run's own", async () => {
  const lab = await withARecord();
  const stored = await claimed(lab.table);
  const next = transitionOf(stored, { versions: [aVersion({ retiredAtMs: nowMs })] });
  const { observed } = breakNext(lab, "UpdateItem", { kind: "lost" });
  expect(await lab.table.write(next, expectedAfter(stored))).toEqual({ kind: "written" });
  expect(observed()).toBe(2);
  expect(await lab.table.read(alias)).toEqual(next);
});

test("a write whose answer was lost, followed by another run's write, is lost", async () => {
  const lab = await withARecord();
  const stored = await claimed(lab.table);
  const next = transitionOf(stored);
  let followed: Promise<unknown> | undefined;
  lab.aws.fault = (_service, name) => {
    if (name !== "UpdateItem" || followed !== undefined) return undefined;
    const later = nowMs + 20 * minuteMs;
    followed = lab.table.claim(alias, aClaim({ runId: "run-2", nowMs: later }));
    return { kind: "lost" };
  };
  const written = await lab.table.write(next, expectedAfter(stored));
  expect(await followed).toMatchObject({ kind: "claimed" });
  expect(written).toEqual({ kind: "lost" });
  expect((await held(lab.table)).epoch).toBe(2);
});

test("a write with the same revision and epoch, such as a mark, is recognised too", async () => {
  const lab = await withARecord();
  const stored = await claimed(lab.table);
  const unsettled = [{ epoch: 1, untilMs }];
  const marked = { ...stored, record: { ...stored.record, unsettled }, writes: 2 };
  breakNext(lab, "UpdateItem", { kind: "lost" });
  expect(await lab.table.write(marked, expectedAfter(stored))).toEqual({ kind: "written" });
  expect(await lab.table.read(alias)).toEqual(marked);
});

test("a run claim, a binding and a record whose answers were lost are the run's own", async () => {
  const lab = await aWireTableLab();
  const lose = () => breakNext(lab, "PutItem", { kind: "lost" });
  lose();
  expect(await lab.table.takeRunClaim("run-1", nowMs, untilMs)).toBe(true);
  expect(await lab.table.takeRunClaim("run-2", nowMs, untilMs)).toBe(false);
  lose();
  expect(await lab.table.bind(keyId, alias, nowMs)).toEqual({ kind: "bound" });
  lose();
  await lab.table.create(aRecord());
  expect(await lab.table.read(alias)).toEqual(aStored());
  breakNext(lab, "DeleteItem", { kind: "lost" });
  await lab.table.releaseRunClaim("run-1");
  expect(await lab.table.takeRunClaim("run-2", nowMs, untilMs)).toBe(true);
});

test("a binding taken over, whose answer was lost, is the managed key's own", async () => {
  const lab = await aWireTableLab();
  await lab.table.bind(keyId, "alias/other", nowMs);
  let puts = 0;
  lab.aws.fault = (_service, name) =>
    name === "PutItem" && ++puts === 2 ? { kind: "lost" } : undefined;
  expect(await lab.table.bind(keyId, alias, nowMs)).toEqual({ kind: "bound" });
  expect(await lab.table.boundTo(keyId)).toBe(alias);
});

test.each<[what: string, fault: Fault]>([
  ["fails", { kind: "before", code: "InternalServerError", status: 500 }],
  ["throttles", { kind: "before", code: "ProvisionedThroughputExceededException", status: 400 }],
  ["hangs up", { kind: "drop" }],
])("a table that %s repeatedly is an error, not a failed condition", async (_, fault) => {
  const lab = await withARecord();
  lab.aws.fault = () => fault;
  const failed = { name: "RotationError", code: "TABLE_FAILED" };
  await Promise.all([
    expect(lab.table.due(nowMs, 10)).rejects.toMatchObject(failed),
    expect(lab.table.claim(alias, aClaim())).rejects.toMatchObject(failed),
    expect(lab.table.write(aStored(), expectedAfter(aStored()))).rejects.toMatchObject(failed),
    expect(lab.table.takeRunClaim("run-1", nowMs, untilMs)).rejects.toMatchObject(failed),
    expect(lab.table.bind(keyId, alias, nowMs)).rejects.toMatchObject(failed),
  ]);
  lab.aws.fault = undefined;
  expect(await lab.table.read(alias)).toEqual(aStored());
});

test("reading the due items is one query, and no write", async () => {
  const lab = await withARecord();
  lab.aws.resetCalls();
  await lab.table.due(nowMs, 100);
  expect(lab.aws.calls().dynamodb).toEqual({ Query: 1 });
});

test("reading 130 records takes two requests", async () => {
  const lab = await aWireTableLab();
  const aliases = Array.from({ length: 130 }, (_, number) => `alias/${number}`);
  await lab.table.readMany(aliases);
  expect(lab.aws.calls().dynamodb).toEqual({ BatchGetItem: 2 });
});
