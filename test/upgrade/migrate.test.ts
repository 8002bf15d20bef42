import { describe, expect, test } from "vitest";
import { migrate, migrateRotation, readRecord } from "../../lambda/record/migrate.ts";
import type { Rotation } from "../../lambda/workflow/model/types.ts";
import { dayMs, minuteMs } from "../fixtures.ts";
import {
  aClaim,
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
} from "../contract/tables.ts";
import { closedRotation, momentOf, moments, type StoredOfSchema1 } from "./schema-1.ts";

const cases = moments.map((moment) => [moment.moment, moment] as const);
const acknowledgeWithinMs = 7 * dayMs;

/** What is of the old record in the new one: all of it, at every depth, and nothing besides. */
function ofOld(old: unknown, next: unknown): unknown {
  if (Array.isArray(old) && Array.isArray(next)) {
    expect(next).toHaveLength(old.length);
    return old.map((member, index) => ofOld(member, next[index]));
  }
  if (old === null || typeof old !== "object") return next;
  const fields = next as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(old).map(([name, value]) => [name, ofOld(value, fields[name])]),
  );
}

/** A claim that nothing of that moment stands in the way of. */
function aLaterClaim(stored: StoredOfSchema1) {
  const { dueAtMs, claim } = stored.record;
  return aClaim({ nowMs: Math.max(dueAtMs, claim?.untilMs ?? 0) + minuteMs });
}

test("the record of the old release has every moment at which a rotation can be met", () => {
  const steps = moments.map(({ stored }) => stored.record.rotations[0]?.step ?? "none");
  expect(steps).toEqual([
    ...["none", "none", "generate", "distribute", "activate"],
    ...["drain", "revoke", "revoke", "revoke", "none"],
  ]);
  const [unanswered] = momentOf("generate").stored.record.rotations;
  expect(unanswered?.intent.unansweredEpoch).toBeDefined();
  const [activating] = momentOf("activate").stored.record.rotations;
  expect(Object.keys(activating?.movedAtMs ?? {})).toEqual([alias]);
  const standings = ["revoke, still", "revoke, disabled", "deletion"].map(
    (name) => momentOf(name).stored.record.versions[0]?.standing,
  );
  expect(standings).toEqual(["draining", "disabled", "deletion-scheduled"]);
  expect(momentOf("closed").stored.record.closed).toHaveLength(1);
});

describe.each(cases)("a record of schema 1: %s", (_name, { stored }) => {
  test("loses nothing that it held", () => {
    const { schema: _, ...old } = stored.record;
    expect(ofOld(old, migrate(stored.record))).toStrictEqual(old);
  });

  test("is as this code would have written it", () => {
    const record = migrate(structuredClone(stored.record));
    const added = { dependents: [], stops: [], honoured: [], refused: [] };
    expect(record).toMatchObject({ ...added, schema: 2, enrolledBy: "configuration", tableId: "" });
    const { versions, rotations, closed } = record;
    const numbers = [...versions.map(({ number }) => number), ...rotations.map(({ to }) => to)];
    expect(record.lastNumber).toBe(Math.max(0, ...numbers, ...closed.map(({ to }) => to)));
    expect(record.policy).toEqual({ ...stored.record.policy, acknowledgeWithinMs });
    for (const rotation of [...rotations, ...closed]) {
      expect(rotation).toMatchObject({ direction: "forward", dependents: [], episode: 1 });
      expect(rotation.acknowledgedAtMs).toEqual({});
      expect(rotation.policy.acknowledgeWithinMs).toBe(acknowledgeWithinMs);
      expect(rotation.evidence?.hash ?? "").toBe("");
    }
    const fields = Object.keys(aRecord()).filter((field) => !(field in record));
    expect(fields).toEqual([]);
  });

  test("is migrated once: this code reads what it wrote as it is", () => {
    const record = migrate(stored.record);
    expect(readRecord(record)).toEqual({ kind: "readable", record, seen: 2 });
    expect(record.rotations.map(migrateRotation)).toStrictEqual(record.rotations);
  });
});

const casesOnSides = cases.flatMap(([name, moment]) =>
  tableSides.map(([side, open]) => [name, side, moment, open] as const),
);

describe.each(casesOnSides)("a record of schema 1: %s, in %s", (_name, _side, { stored }, open) => {
  test("is read as if it were of schema 2, and stays what it is", async () => {
    const { table, put, stored: lying } = await open();
    await put(stored);
    const record = migrate(stored.record);
    expect(await table.read(alias)).toStrictEqual({ ...stored, record, writes: 0 });
    expect(await table.readMany([alias])).toStrictEqual([record]);
    expect(await lying(alias)).toStrictEqual(stored);
  });

  test("is claimed, and the next write puts schema 2", async () => {
    const { table, put, stored: lying } = await open();
    await put(stored);
    const request = aLaterClaim(stored);
    const claim = await claimed(table, request);
    const record = migrate(stored.record);
    const { epoch, claim: by, dueAtMs, backoff } = claim.record;
    expect(epoch).toBe(record.epoch + 1);
    expect(by).toEqual({ runId: "run-1", passId: request.passId, epoch, untilMs: request.untilMs });
    expect(claim).toStrictEqual({
      ...stored,
      record: { ...record, epoch, claim: by, dueAtMs, backoff },
      writes: 1,
    });
    const changed = { epoch, claim: by, dueAtMs, backoff };
    const unwritten = { ...stored, record: { ...stored.record, ...changed }, writes: 1 };
    expect(await lying(alias)).toStrictEqual(unwritten);

    const next = transitionOf(claim);
    expect(await table.write(next, expectedAfter(claim))).toEqual({ kind: "written" });
    expect(next.record.schema).toBe(2);
    expect(await lying(alias)).toStrictEqual(next);
    expect(await table.read(alias)).toStrictEqual(next);
  });
});

describe.each(tableSides)("a record of schema 1 in %s", (_side, open) => {
  test("is claimed by force, and nudged, as any other", async () => {
    const { table, put } = await open();
    const { stored } = momentOf("activate");
    await put(stored);
    const untilMs = stored.record.claim?.untilMs ?? 0;
    expect(await table.nudge(alias, untilMs)).toBe(false);
    expect(await table.claim(alias, aClaim({ nowMs: untilMs }))).toEqual({
      kind: "taken",
      untilMs,
    });
    const forced = await claimed(table, aClaim({ nowMs: untilMs, taking: "force" }));
    expect(forced.record).toMatchObject({ schema: 2, epoch: stored.record.epoch + 1 });
    expect(await table.nudge(alias, nowMs + 1000 * dayMs)).toBe(true);
    expect(await held(table)).toMatchObject({ dueAtMs: nowMs + 1000 * dayMs });
  });

  test("keeps the KMS keys that it lists", async () => {
    const { table, put } = await open();
    const { stored, bindings } = momentOf("deletion");
    await put(stored);
    for (const [key, by] of Object.entries(bindings)) {
      await table.bind(key, by, nowMs);
      const other = await table.bind(key, "alias/other", nowMs + 1000 * dayMs);
      expect(other).toEqual({ kind: "taken", by: alias });
    }
  });

  test("has closed rotations in items of their own, which are read as the others are", async () => {
    const { table } = await open();
    await table.archive([], [{ alias, rotation: closedRotation as Rotation }]);
    const rotation = await table.closedRotation(alias, closedRotation.id);
    expect(ofOld(closedRotation, rotation)).toStrictEqual(closedRotation);
    expect(rotation).toStrictEqual(migrateRotation(closedRotation));
    const present = aRotation({ direction: "back", dependents: ["billing"], episode: 3 });
    await table.archive([], [{ alias, rotation: present }]);
    expect(await table.closedRotation(alias, present.id)).toStrictEqual(present);
  });
});

describe.each(tableSides)("a record that newer code wrote, in %s", (_side, open) => {
  const newer = (changes: object = {}) => {
    const { versions: _, ...rest } = aRecord();
    return { ...aStored(), record: { ...rest, schema: 3, keys: ["in another way"], ...changes } };
  };

  test("is left as it is by every claim, nudge, write and creation", async () => {
    const { table, put, stored } = await open();
    await put(newer());
    for (const taking of ["due", "asked", "force"] as const) {
      const answer = await table.claim(alias, aClaim({ taking }));
      expect(answer).toEqual({ kind: "newer-schema", schema: 3 });
    }
    expect(await table.nudge(alias, nowMs + 1, nowMs + 1)).toBe(false);
    expect(await table.write(transitionOf(aStored()), expectedAfter(aStored()))).toEqual({
      kind: "lost",
    });
    await table.create(aRecord({ owner: "another" }));
    expect(await stored(alias)).toStrictEqual(newer());
  });

  test("is not handed to code that cannot read it", async () => {
    const { table, put } = await open();
    await put(newer());
    await table.create(aRecord({ alias: "alias/other" }));
    expect(await table.read(alias)).toBeUndefined();
    const found = await table.readMany([alias, "alias/other"]);
    expect(found.map((record) => record.alias)).toEqual(["alias/other"]);
  });

  test("falls due, and keeps its KMS keys and the requests to it", async () => {
    const { table, put, ask } = await open();
    await put(newer());
    await table.bind(keyId, alias, nowMs);
    const later = nowMs + 1000 * dayMs;
    expect(await table.bind(keyId, "alias/other", later)).toEqual({ kind: "taken", by: alias });
    await ask(alias, "1", { kind: "rotate" });
    expect(await table.requests(alias)).toHaveLength(1);
    expect((await table.due(nowMs, 10)).items).toEqual([
      { kind: "request", alias, dueAtMs: 0 },
      { kind: "managed-key", alias, dueAtMs: nowMs },
    ]);
  });

  test("ends the write of a run that held it before", async () => {
    const { table, put, stored } = await open();
    await table.create(aRecord({ versions: [aVersion()] }));
    const first = await claimed(table);
    const { epoch, revision } = first.record;
    const taken = newer({ epoch, revision });
    await put(taken);
    expect(await table.write(transitionOf(first), expectedAfter(first))).toEqual({ kind: "lost" });
    expect(await stored(alias)).toStrictEqual(taken);
  });
});
