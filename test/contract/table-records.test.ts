import { describe, expect, test } from "vitest";
import type { DueCursor, DueItem, Expected, Stored } from "../../lambda/ports.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import { applied, minuteMs } from "../fixtures.ts";
import {
  aFinding,
  alias,
  aRecord,
  aRotation,
  aStored,
  aVersion,
  claimed,
  expectedAfter,
  held,
  keyId,
  nowMs,
  tableSides,
  transitionOf,
} from "./tables.ts";

/** Every optional field is set: add each new field of the record here. */
function aFullRecord(): Required<ManagedKey> {
  const lastUse = { kind: "used", atMs: nowMs, operation: "Decrypt", eventId: "e" } as const;
  return {
    ...aRecord(),
    aliases: [alias, "alias/orders-eu"],
    claim: { runId: "run-1", passId: "pass-1", epoch: 0, untilMs: nowMs },
    unsettled: [{ epoch: 3, untilMs: nowMs + 1 }],
    taggedAtMs: 0,
    enrolledAtMs: 0,
    inspectedAtMs: nowMs - 5,
    suspectedAtMs: nowMs,
    reconciledAtMs: nowMs,
    collectedFromMs: nowMs,
    unlistedAliases: ["alias/audit"],
    backoff: { tries: 2, jitter: 0.12345678901234568 },
    versions: [aVersion({ activatedAtMs: 0, retiredAtMs: nowMs, deletionAtMs: nowMs })],
    rotations: [
      aRotation({ labelledAtMs: nowMs, evidence: { observedAtMs: nowMs, lastUse, hash: "h" } }),
    ],
    extras: [{ keyId, rotationId: "r", madeAfterMs: 0, foundAtMs: nowMs, quarantinedAtMs: nowMs }],
    closed: [aRotation({ id: "rotation-0" })],
    findings: [aFinding({ observed: 'ünïcode, "quotes" and an empty next', next: "" })],
    holds: [{ kind: "pause", atMs: nowMs, by: "an operator", version: 1, reason: "" }],
    wanted: { urgent: true, by: "an operator", atMs: nowMs },
    fulfilled: [{ id: "request-1", atMs: nowMs }],
    rejected: [{ id: "request-2", kind: "rollback", why: "no version before it", atMs: nowMs }],
    proposal: { revision: 7, lines: ["version 3 is active"] },
    unenrolment: { by: "an operator", atMs: nowMs, endedAtMs: nowMs },
    planned: { call: "DisableKey", subject: keyId, reason: "drained", sinceMs: nowMs },
  };
}

describe.each(tableSides)("a record in %s", (_side, open) => {
  test("is read as it was put, with all optional fields or with none", async () => {
    const { table } = await open();
    for (const record of [aFullRecord(), aRecord({ alias: "alias/bare" })]) {
      await table.create(record);
      expect(await table.read(record.alias)).toStrictEqual(aStored(record));
    }
  });

  test("has no trace of an undefined or removed field", async () => {
    const { table } = await open();
    const absent = { claim: undefined, wanted: undefined, suspectedAtMs: undefined };
    const undef = { ...aRecord(), ...absent } as unknown as ManagedKey;
    await table.create(undef);
    expect(await table.read(alias)).toStrictEqual(aStored());
    const full = { ...aStored(aFullRecord()), outbox: transitionOf(aStored()).outbox };
    expect(await table.write(full, expectedAfter(aStored()))).toEqual({ kind: "written" });
    expect(await table.read(alias)).toStrictEqual(full);
    expect(await table.write(aStored(), expectedAfter(full))).toEqual({ kind: "written" });
    expect(await table.read(alias)).toStrictEqual(aStored());
  });

  test("is created once: another one of the same name changes nothing", async () => {
    const { table } = await open();
    await table.create(aRecord());
    await table.create(aRecord({ owner: "another" }));
    expect((await held(table)).owner).toBe("acme");
  });

  test("is written if its revision, epoch and count of writes have not changed since the read", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const stored = await claimed(table);
    const next = transitionOf(stored, { versions: [aVersion()] });
    expect(await table.write(next, expectedAfter(stored))).toEqual({ kind: "written" });
    expect(await table.read(alias)).toEqual(next);
    const third = transitionOf(next, { enrolledAtMs: nowMs });
    expect(await table.write(third, expectedAfter(next))).toEqual({ kind: "written" });
    expect((await held(table)).revision).toBe(2);
  });

  test.each<[what: string, expected: Expected]>([
    ["the revision has changed", { revision: 0, epoch: 1, writes: 2 }],
    ["the epoch has changed", { revision: 1, epoch: 0, writes: 2 }],
    ["a call was announced, which changes neither", { revision: 1, epoch: 1, writes: 1 }],
    ["all of them have changed", { revision: 0, epoch: 0, writes: 0 }],
  ])("is not written where %s", async (_what, expected) => {
    const { table } = await open();
    await table.create(aRecord());
    const first = await claimed(table);
    const next = transitionOf(first);
    await table.write(next, expectedAfter(first));
    const stale: Stored = { ...next, record: { ...next.record, owner: "a stale run" } };
    expect(await table.write(stale, expected)).toEqual({ kind: "lost" });
    expect(await table.read(alias)).toEqual(next);
  });

  test("is not created by a write", async () => {
    const { table } = await open();
    expect(await table.write(aStored(), expectedAfter(aStored()))).toEqual({ kind: "lost" });
    expect(await table.read(alias)).toBeUndefined();
  });

  test("belongs to the run that claims it: the writes of the previous run fail", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const first = await claimed(table);
    await claimed(table, {
      runId: "run-2",
      passId: "pass-2",
      nowMs: nowMs + 7 * minuteMs,
      untilMs: nowMs + 9 * minuteMs,
      dueAgainAtMs: nowMs,
      taking: "due",
    });
    expect(await table.write(transitionOf(first), expectedAfter(first))).toEqual({ kind: "lost" });
  });

  test("does not change when a caller changes its copy", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const given = await claimed(table);
    given.record.versions.push(aVersion());
    expect((await held(table)).versions).toEqual([]);
    const next = transitionOf((await table.read(alias)) ?? aStored());
    await table.write(next, { revision: 0, epoch: 1, writes: 1 });
    next.record.versions.push(aVersion());
    expect((await held(table)).versions).toEqual([]);
  });

  test("is read with hundreds of others at once, without those that do not exist", async () => {
    const { table } = await open();
    const aliases = Array.from({ length: 130 }, (_, number) => `alias/key-${number}`);
    await Promise.all(aliases.map((name) => table.create(aRecord({ alias: name }))));
    const missing = Array.from({ length: 120 }, (_, number) => `alias/none-${number}`);
    const found = await table.readMany([...missing, ...aliases]);
    expect(found.map((record) => record.alias).sort()).toEqual(aliases.sort());
    expect(found.find((record) => record.alias === "alias/key-7")).toEqual(
      aRecord({ alias: "alias/key-7" }),
    );
    expect(await table.readMany(missing)).toEqual([]);
    expect(await table.readMany([])).toEqual([]);
  });
});

describe.each(tableSides)("the due items in %s", (_side, open) => {
  const at = (name: string, dueAtMs: number): DueItem => ({
    kind: "managed-key",
    alias: `alias/${name}`,
    dueAtMs,
  });

  test("come longest due first, without any that is not due", async () => {
    const { table } = await open();
    for (const [name, dueAtMs] of [
      ["b", nowMs - 5],
      ["later", nowMs + 1],
      ["a", nowMs],
      ["c", nowMs - 10],
    ] as const) {
      await table.create(aRecord({ alias: `alias/${name}`, dueAtMs }));
    }
    await table.schedule("audit", nowMs - 7, undefined);
    expect(await table.due(nowMs, 10)).toEqual({
      items: [
        at("c", nowMs - 10),
        { kind: "chore", chore: "audit", dueAtMs: nowMs - 7 },
        at("b", nowMs - 5),
        at("a", nowMs),
      ],
    });
    expect((await table.due(nowMs - 11, 10)).items).toEqual([]);
  });

  test("come in pages, each item exactly once", async () => {
    const { table } = await open();
    const names = Array.from({ length: 11 }, (_, number) => `alias/${number}`);
    // Some fall due at the same time.
    for (const [number, name] of names.entries()) {
      const dueAtMs = nowMs - Math.floor(number / 4);
      await table.create(aRecord({ alias: name, dueAtMs }));
    }
    const found: DueItem[] = [];
    let after: DueCursor | undefined;
    let pages = 0;
    do {
      const page = await table.due(nowMs, 3, after);
      found.push(...page.items);
      after = page.next;
      pages += 1;
    } while (after !== undefined);
    expect(pages).toBe(4);
    expect(found.map((item) => ("alias" in item ? item.alias : item.kind)).sort()).toEqual(
      names.sort(),
    );
    const times = found.map((item) => ("dueAtMs" in item ? item.dueAtMs : 0));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test("continue after a page, even if its items changed meanwhile", async () => {
    const { table } = await open();
    for (let number = 0; number < 4; number += 1) {
      await table.create(aRecord({ alias: `alias/${number}`, dueAtMs: nowMs - 100 + number }));
    }
    const { items, next } = await table.due(nowMs, 2);
    expect(items).toEqual([at("0", nowMs - 100), at("1", nowMs - 99)]);
    await table.nudge("alias/1", nowMs + 1);
    expect((await table.due(nowMs, 3, next)).items).toEqual([
      at("2", nowMs - 98),
      at("3", nowMs - 97),
    ]);
  });

  test("list the applied configurations first, until they are removed", async () => {
    const { table } = await open();
    await table.create(aRecord({ dueAtMs: 1 }));
    for (const hash of ["one", "two", "one"]) await table.recordConfiguration(hash, applied);
    const { items } = await table.due(nowMs, 10);
    expect(items.slice(0, 2)).toEqual(
      expect.arrayContaining([
        { kind: "configuration", hash: "one" },
        { kind: "configuration", hash: "two" },
      ]),
    );
    expect(items.slice(2)).toEqual([at("orders", 1)]);
    await table.forgetConfigurations(["one", "never recorded"]);
    expect((await table.due(0, 10)).items).toEqual([{ kind: "configuration", hash: "two" }]);
  });
});
