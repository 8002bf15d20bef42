import { describe, expect, test } from "vitest";
import { clockSkewMs } from "../../lambda/workflow/model/limits.ts";
import { minuteMs } from "../fixtures.ts";
import {
  aClaim,
  alias,
  aRecord,
  aRotation,
  aStored,
  aVersion,
  claimed,
  keyId,
  nowMs,
  tableSides,
  transitionOf,
} from "./tables.ts";

const other = "alias/other";

describe.each(tableSides)("a KMS key in %s", (_side, open) => {
  test("that is free is bound, also repeatedly by the same managed key", async () => {
    const { table } = await open();
    expect(await table.boundTo(keyId)).toBeUndefined();
    expect(await table.bind(keyId, alias, nowMs)).toEqual({ kind: "bound" });
    expect(await table.bind(keyId, alias, nowMs)).toEqual({ kind: "bound" });
    expect(await table.boundTo(keyId)).toBe(alias);
  });

  test("is taken while its managed key lists it", async () => {
    const { table } = await open();
    await table.create(aRecord({ versions: [aVersion()] }));
    await table.bind(keyId, alias, nowMs);
    expect(await table.bind(keyId, other, nowMs)).toEqual({ kind: "taken", by: alias });
    expect(await table.boundTo(keyId)).toBe(alias);
  });

  test("is taken while its managed key is claimed, plus the clock tolerance", async () => {
    const { table } = await open();
    await table.create(aRecord());
    const { record } = await claimed(table);
    const untilMs = record.claim?.untilMs ?? 0;
    await table.bind(keyId, alias, nowMs);
    expect(await table.bind(keyId, other, untilMs)).toEqual({ kind: "taken", by: alias });
    const overMs = untilMs + clockSkewMs;
    expect(await table.bind(keyId, other, overMs)).toEqual({ kind: "taken", by: alias });
    expect(await table.bind(keyId, other, overMs + 1)).toEqual({ kind: "bound" });
    expect(await table.boundTo(keyId)).toBe(other);
  });

  test("left bound by a crash is taken over, if no record lists it and no run has the claim", async () => {
    const { table } = await open();
    await table.create(aRecord({ versions: [aVersion({ keyId: "another key" })] }));
    await table.bind(keyId, alias, nowMs);
    expect(await table.bind(keyId, other, nowMs)).toEqual({ kind: "bound" });
    expect(await table.boundTo(keyId)).toBe(other);
  });

  test("bound to a managed key that has no record is taken over", async () => {
    const { table } = await open();
    await table.bind(keyId, alias, nowMs);
    expect(await table.bind(keyId, other, nowMs)).toEqual({ kind: "bound" });
  });

  test("is released only by its own managed key", async () => {
    const { table } = await open();
    await table.bind(keyId, alias, nowMs);
    await table.unbind(keyId, other);
    expect(await table.boundTo(keyId)).toBe(alias);
    await table.unbind(keyId, alias);
    await table.unbind(keyId, alias);
    expect(await table.boundTo(keyId)).toBeUndefined();
    expect(await table.bind(keyId, other, nowMs)).toEqual({ kind: "bound" });
  });

  test("goes to one of several racing claim holders", async () => {
    const { table } = await open();
    const racers = Array.from({ length: 6 }, (_, number) => `alias/racer-${number}`);
    for (const racer of racers) {
      await table.create(aRecord({ alias: racer }));
      await claimed(table, aClaim(), racer);
    }
    const answers = await Promise.all(racers.map((racer) => table.bind(keyId, racer, nowMs)));
    const winner = racers[answers.findIndex(({ kind }) => kind === "bound")];
    expect(answers.filter(({ kind }) => kind === "bound")).toHaveLength(1);
    expect(answers.filter(({ kind }) => kind === "taken")).toEqual(
      Array(5).fill({ kind: "taken", by: winner }),
    );
    expect(await table.boundTo(keyId)).toBe(winner);
  });
});

describe.each(tableSides)("history in %s", (_side, open) => {
  test("is moved to its own items once, even if it is sent repeatedly", async () => {
    const { table, archived } = await open();
    const first = transitionOf(aStored());
    const { outbox } = transitionOf(first, { owner: "acme" });
    const closed = [{ alias, rotation: aRotation({ labelledAtMs: nowMs }) }];
    await table.archive(outbox.slice(0, 1), []);
    await table.archive(outbox, closed);
    await table.archive(outbox, closed);
    expect(await archived(alias)).toEqual(outbox);
    expect(outbox).toHaveLength(2);
    const rotation = await table.closedRotation(alias, "rotation-1");
    expect(rotation).toStrictEqual(aRotation({ labelledAtMs: nowMs }));
  });

  test("of one managed key is separate from another's", async () => {
    const { table, archived } = await open();
    await table.archive([], [{ alias, rotation: aRotation() }]);
    await table.archive(transitionOf(aStored(aRecord({ alias: other }))).outbox, []);
    expect(await table.closedRotation(other, "rotation-1")).toBeUndefined();
    expect(await table.closedRotation(alias, "rotation-2")).toBeUndefined();
    expect(await archived(alias)).toEqual([]);
    expect(await archived(other)).toHaveLength(1);
  });

  test("never falls due: it is not in the query", async () => {
    const { table } = await open();
    await table.archive(transitionOf(aStored()).outbox, [{ alias, rotation: aRotation() }]);
    await table.bind(keyId, alias, nowMs);
    await table.takeRunClaim("run-1", nowMs, nowMs + minuteMs);
    expect(await table.due(Number.MAX_SAFE_INTEGER, 10)).toEqual({ items: [] });
  });
});
