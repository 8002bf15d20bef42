import { describe, expect, test } from "vitest";
import { migrateRotation, readRecord } from "../../lambda/record/migrate.ts";
import { presentFinding, replacedAttributes } from "../../lambda/record/schema-2.ts";
import type { RotationOfSchema2 } from "../../lambda/record/schema-2.ts";
import type { ManagedKey, Rotation } from "../../lambda/workflow/model/types.ts";
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
import { momentOf, recorded, schema1, schema2, type StoredOfEarlier } from "./recorded.ts";

const acknowledgeWithinMs = 7 * dayMs;

function migrated({ record }: StoredOfEarlier): ManagedKey {
  const read = readRecord(structuredClone(record));
  if (read.kind !== "readable") throw new Error(`schema ${read.schema} cannot be read`);
  return read.record;
}

/** Every string and number of a value, at every depth, in order. */
function leavesOf(value: unknown): string[] {
  if (value === null || typeof value !== "object") return [String(value)];
  return Object.values(value).flatMap(leavesOf).sort();
}

/** The values with another name in schema 3. */
const renamed: Record<string, string> = {
  created: "pending-activation",
  serving: "active",
  "deletion-scheduled": "pending-deletion",
  returning: "reactivating",
  REQUEST_REFUSED: "REQUEST_REJECTED",
};

/** A claim after the due time and the claim of that moment. */
function aLaterClaim(stored: StoredOfEarlier) {
  const { dueAtMs, claim } = stored.record;
  return aClaim({ nowMs: Math.max(dueAtMs, claim?.untilMs ?? 0) + minuteMs });
}

describe("the recordings have every step of a rotation", () => {
  test("of schema 1", () => {
    const { moments } = schema1;
    const steps = moments.map(({ stored }) => stored.record.rotations[0]?.step ?? "none");
    expect(steps).toEqual([
      ...["none", "none", "generate", "distribute", "activate"],
      ...["drain", "revoke", "revoke", "revoke", "none"],
    ]);
    const [unanswered] = momentOf(schema1, "generate").stored.record.rotations;
    expect(unanswered?.intent.unansweredEpoch).toBeDefined();
    const [activating] = momentOf(schema1, "activate").stored.record.rotations;
    expect(Object.keys(activating?.movedAtMs ?? {})).toEqual([alias]);
    expect(momentOf(schema1, "closed").stored.record.closed).toHaveLength(1);
  });

  test("of schema 2", () => {
    const rotations = schema2.moments.flatMap(
      ({ stored }) => stored.record.rotations as RotationOfSchema2[],
    );
    const met = new Set(rotations.map((one) => `${one.direction} ${one.step}`));
    for (const step of ["generate", "distribute", "activate", "drain", "revoke"]) {
      expect(met).toContain(`forward ${step}`);
    }
    for (const step of ["distribute", "activate", "drain"]) expect(met).toContain(`back ${step}`);
    const text = JSON.stringify(schema2.moments);
    const fields = ["lookedAtMs", "watchAskedAtMs", "revived", "honoured", "seen", "label"];
    for (const field of fields) expect(text).toContain(`"${field}":`);
    for (const value of Object.keys(renamed)) expect(text).toContain(`"${value}"`);
    for (const kind of ["pause", "rollback", "attempt"]) expect(text).toContain(`"${kind}"`);
  });
});

describe.each(recorded)("a record of %s", (_name, { stored }) => {
  test("keeps every value", () => {
    const { schema: _, ...old } = stored.record;
    const { schema: _present, ...present } = migrated(stored);
    const kept = leavesOf(present);
    const isHold = JSON.stringify(old).includes('"attempt"');
    for (const leaf of leavesOf(old)) {
      const expected = renamed[leaf] ?? (isHold && leaf === "attempt" ? "restored" : leaf);
      expect(kept, leaf).toContain(expected);
    }
  });

  test("has the form that this code writes", () => {
    const record = migrated(stored);
    expect(record.schema).toBe(3);
    const { versions, rotations, closed } = record;
    const numbers = [...versions.map(({ number }) => number), ...rotations.map(({ to }) => to)];
    const highest = Math.max(0, ...numbers, ...closed.map(({ to }) => to));
    expect(record.lastNumber).toBe(highest);
    expect(record.policy.acknowledgeWithinMs).toBe(acknowledgeWithinMs);
    for (const rotation of [...rotations, ...closed]) {
      expect(rotation.policy.acknowledgeWithinMs).toBe(acknowledgeWithinMs);
      expect(rotation).toMatchObject({ dependents: [], acknowledgedAtMs: {} });
    }
    const known = new Set([...Object.keys(aRecord()), "claim", "taggedAtMs", "enrolledAtMs"]);
    for (const field of ["suspectedAtMs", "wanted", "proposal", "planned"]) known.add(field);
    expect(Object.keys(record).filter((field) => !known.has(field))).toEqual([]);
    expect(Object.keys(aRecord()).filter((field) => !(field in record))).toEqual([]);
    expect(JSON.stringify(record)).not.toMatch(
      /"(standing|lookedAtMs|seen|stops|honoured|refused|resting|revived|watchAskedAtMs)":/,
    );
  });

  test("is migrated once: this code does not change its own records", () => {
    const record = migrated(stored);
    expect(readRecord(record)).toEqual({ kind: "readable", record, storedSchema: 3 });
    expect(record.rotations.map(migrateRotation)).toStrictEqual(record.rotations);
    expect(record.findings.map(presentFinding)).toStrictEqual(record.findings);
  });
});

const onSides = recorded.flatMap(([name, moment]) =>
  tableSides.map(([side, open]) => [name, side, moment, open] as const),
);

describe.each(onSides)("a record of %s, in %s", (_name, _side, { stored }, open) => {
  test("is read as schema 3, and stays unchanged in the table", async () => {
    const { table, put, stored: storedItem } = await open();
    await put(stored);
    const record = migrated(stored);
    const writes = (stored as { writes?: number }).writes ?? 0;
    expect(await table.read(alias)).toStrictEqual({ ...stored, record, writes });
    expect(await table.readMany([alias])).toStrictEqual([record]);
    expect(await storedItem(alias)).toStrictEqual(stored);
  });

  test("is claimed, and the next write stores schema 3 without the replaced fields", async () => {
    const { table, put, stored: storedItem } = await open();
    await put(stored);
    const request = aLaterClaim(stored);
    const claim = await claimed(table, request);
    const record = migrated(stored);
    const { epoch, claim: by, dueAtMs, backoff } = claim.record;
    expect(epoch).toBe(record.epoch + 1);
    expect(by).toEqual({ runId: "run-1", passId: request.passId, epoch, untilMs: request.untilMs });
    const changed = { epoch, claim: by, dueAtMs, backoff };
    expect(claim).toStrictEqual({ ...stored, record: { ...record, ...changed }, writes: 1 });
    const unwritten = { ...stored, record: { ...stored.record, ...changed }, writes: 1 };
    expect(await storedItem(alias)).toStrictEqual(unwritten);

    const next = transitionOf(claim);
    expect(await table.write(next, expectedAfter(claim))).toEqual({ kind: "written" });
    expect(next.record.schema).toBe(3);
    const written = await storedItem(alias);
    expect(written).toStrictEqual(next);
    for (const name of replacedAttributes)
      expect((written as StoredOfEarlier).record).not.toHaveProperty(name);
    expect(await table.read(alias)).toStrictEqual(next);
  });
});

const recordings = [
  ["schema 1", schema1, "deletion"],
  ["schema 2", schema2, "revoke, deletion"],
] as const;

const recordingsOnSides = recordings.flatMap(([name, recording, deletion]) =>
  tableSides.map(([side, open]) => [name, side, recording, deletion, open] as const),
);

describe.each(recordingsOnSides)(
  "a record of %s in %s",
  (_name, _side, recording, deletion, open) => {
    test("is claimed by force and nudged like any other", async () => {
      const { table, put } = await open();
      const { stored } = momentOf(recording, "activate");
      const untilMs = nowMs + minuteMs;
      const holder = { runId: "run-0", epoch: stored.record.epoch, untilMs };
      const claimedBefore = { ...stored.record, claim: holder };
      await put({ ...stored, record: claimedBefore });
      expect(await table.nudge(alias, untilMs)).toBe(false);
      expect(await table.claim(alias, aClaim({ nowMs: untilMs }))).toEqual({
        kind: "taken",
        untilMs,
      });
      const forced = await claimed(table, aClaim({ nowMs: untilMs, taking: "force" }));
      expect(forced.record).toMatchObject({ schema: 3, epoch: stored.record.epoch + 1 });
      expect(await table.nudge(alias, nowMs + 1000 * dayMs)).toBe(true);
      expect(await held(table)).toMatchObject({ dueAtMs: nowMs + 1000 * dayMs });
    });

    test("keeps the bindings of its KMS keys", async () => {
      const { table, put } = await open();
      const { stored, bindings } = momentOf(recording, deletion);
      await put(stored);
      for (const [key, by] of Object.entries(bindings)) {
        await table.bind(key, by, nowMs);
        const other = await table.bind(key, "alias/other", nowMs + 1000 * dayMs);
        expect(other).toEqual({ kind: "taken", by: alias });
      }
    });

    test("has closed rotations in their own items, which are migrated on reading", async () => {
      const { table } = await open();
      const { closedRotation } = recording;
      await table.archive([], [{ alias, rotation: closedRotation as unknown as Rotation }]);
      const rotation = await table.closedRotation(alias, closedRotation.id);
      expect(rotation).toStrictEqual(migrateRotation(closedRotation));
      const kept = leavesOf(rotation);
      for (const leaf of leavesOf(closedRotation)) expect(kept).toContain(leaf);
      const present = aRotation({ direction: "back", dependents: ["billing"], episode: 3 });
      await table.archive([], [{ alias, rotation: present }]);
      expect(await table.closedRotation(alias, present.id)).toStrictEqual(present);
    });
  },
);

describe.each(tableSides)("a record that newer code wrote, in %s", (_side, open) => {
  const newer = (changes: object = {}) => {
    const { versions: _, ...rest } = aRecord();
    return { ...aStored(), record: { ...rest, schema: 4, keys: ["in a newer form"], ...changes } };
  };

  test("is not changed by any claim, nudge, write or creation", async () => {
    const { table, put, stored } = await open();
    await put(newer());
    for (const taking of ["due", "asked", "force"] as const) {
      const answer = await table.claim(alias, aClaim({ taking }));
      expect(answer).toEqual({ kind: "newer-schema", schema: 4 });
    }
    expect(await table.nudge(alias, nowMs + 1, { suspectedAtMs: nowMs + 1 })).toBe(false);
    expect(await table.write(transitionOf(aStored()), expectedAfter(aStored()))).toEqual({
      kind: "lost",
    });
    await table.create(aRecord({ owner: "another" }));
    expect(await stored(alias)).toStrictEqual(newer());
  });

  test("is not returned to code that cannot read it", async () => {
    const { table, put } = await open();
    await put(newer());
    await table.create(aRecord({ alias: "alias/other" }));
    expect(await table.read(alias)).toBeUndefined();
    const found = await table.readMany([alias, "alias/other"]);
    expect(found.map((record) => record.alias)).toEqual(["alias/other"]);
  });

  test("falls due, and keeps its KMS keys and its requests", async () => {
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

  test("rejects the write of a run that claimed it before", async () => {
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
