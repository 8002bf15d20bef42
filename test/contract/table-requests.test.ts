import { describe, expect, test } from "vitest";
import { tableIdOf } from "../../lambda/aws/dynamodb-requests.ts";
import { createTable } from "../../lambda/aws/dynamodb.ts";
import { createTableTwin } from "../../sim/ports/table.ts";
import { sdkConfig } from "./sides.ts";
import {
  aClaim,
  aFinding,
  alias,
  aRecord,
  aRotation,
  aStored,
  aWireTableLab,
  claimed,
  keyId,
  nowMs,
  tableSides,
  transitionOf,
} from "./tables.ts";
import { applied } from "../fixtures.ts";

const rotate = { kind: "rotate", by: "an operator", reason: "it is time" };

describe.each(tableSides)("a request for a managed key, in %s", (_side, open) => {
  test("is read in the order of the ids, not of the writes", async () => {
    const { table, ask } = await open();
    const ids = ["01J3", "01J1", "01JA", "01J2", "02", "1", "01Ja"];
    for (const id of ids) await ask(alias, id, { ...rotate, reason: id });
    const sorted = ids.toSorted();
    expect(await table.requests(alias)).toStrictEqual(
      sorted.map((id) => ({ id, body: { ...rotate, reason: id } })),
    );
  });

  test("belongs to its managed key alone", async () => {
    const { table, ask } = await open();
    await ask("alias/orders-eu", "1", rotate);
    await ask("alias/order", "1", rotate);
    expect(await table.requests(alias)).toEqual([]);
  });

  test("comes with its body, even a malformed one", async () => {
    const { table, ask } = await open();
    const odd = {
      kind: 7,
      version: "two",
      by: null,
      reason: ["because", { of: [false] }],
      binary: new Uint8Array([0, 255]),
      set: new Set(["a", "b"]),
      numbers: new Set([1, 2]),
      fraction: -0.5,
      runId: "",
    };
    await ask(alias, "1", odd);
    await ask(alias, "2", {});
    expect(await table.requests(alias)).toEqual([
      { id: "1", body: odd },
      { id: "2", body: {} },
    ]);
  });

  test("makes the key due at once, by its own entry, until it is deleted", async () => {
    const { table, ask } = await open();
    await table.create(aRecord({ dueAtMs: nowMs + 1 }));
    await ask(alias, "1", rotate);
    const item = { kind: "request", alias, dueAtMs: 0 };
    expect(await table.due(nowMs, 10)).toEqual({ items: [item] });
    await table.deleteRequests(alias, ["1"]);
    expect(await table.due(nowMs, 10)).toEqual({ items: [] });
  });

  test("comes in the pages of due items, one entry for each request", async () => {
    const { table, ask } = await open();
    for (const id of ["1", "2", "3"]) await ask(alias, id, rotate);
    const first = await table.due(nowMs, 2);
    const second = await table.due(nowMs, 2, first.next);
    const item = { kind: "request", alias, dueAtMs: 0 };
    expect([...first.items, ...second.items]).toEqual([item, item, item]);
    expect(second.next).toBeUndefined();
  });

  test("is deleted by its id, also repeatedly, and nothing else is", async () => {
    const { table, ask } = await open();
    for (const id of ["1", "2", "3"]) await ask(alias, id, rotate);
    await ask("alias/other", "1", rotate);
    for (let time = 0; time < 2; time += 1) {
      await table.deleteRequests(alias, ["1", "3", "never asked"]);
      expect((await table.requests(alias)).map(({ id }) => id)).toEqual(["2"]);
    }
    await table.deleteRequests(alias, []);
    expect(await table.requests("alias/other")).toHaveLength(1);
  });

  test("changes nothing in the record, and remains after a claim", async () => {
    const { table, ask } = await open();
    await table.create(aRecord());
    await ask(alias, "1", { ...rotate, epoch: 99 });
    expect(await table.read(alias)).toStrictEqual(aStored());
    await claimed(table, aClaim({ taking: "asked" }));
    expect(await table.requests(alias)).toHaveLength(1);
  });
});

describe.each(tableSides)("the id of %s", (_side, open) => {
  test("does not change, after any write", async () => {
    const { table } = await open();
    const id = await table.id();
    expect(id).not.toBe("");
    await table.create(aRecord());
    expect(await table.id()).toBe(id);
  });
});

describe("on DynamoDB", () => {
  test("reads more requests than a page holds, each page consistently", async () => {
    const { table, ask, aws } = await aWireTableLab();
    const reason = "x".repeat(380_000);
    for (const id of ["1", "2", "3", "4"]) await ask(alias, id, { ...rotate, reason });
    aws.resetCalls();
    const consistent: unknown[] = [];
    aws.fault = (_service, _operation, input) => {
      consistent.push((input as { ConsistentRead?: boolean }).ConsistentRead);
      return undefined;
    };
    expect((await table.requests(alias)).map(({ id }) => id)).toEqual(["1", "2", "3", "4"]);
    expect(aws.calls().dynamodb).toEqual({ Query: 2 });
    expect(consistent).toEqual([true, true]);
  });

  test("numbers too large for JavaScript lose precision, and cause no error", async () => {
    const { table, ask } = await aWireTableLab();
    const numbers = { big: 12345678901234567890n, set: new Set([2n ** 70n]) };
    await ask(alias, "1", { ...rotate, ...numbers });
    const [request] = await table.requests(alias);
    expect(request?.body).toEqual({
      ...rotate,
      big: Number(numbers.big),
      set: new Set([2 ** 70]),
    });
  });

  test("a new table with the same name has another id", async () => {
    const one = await aWireTableLab();
    const other = await aWireTableLab();
    expect(await one.table.id()).not.toBe(await other.table.id());
  });

  test("a missing answer is an error", async () => {
    const { table, aws } = await aWireTableLab();
    aws.fault = () => ({ kind: "before", code: "InternalServerError", status: 500 });
    const failed = { name: "RotationError", code: "TABLE_FAILED" };
    await expect(table.id()).rejects.toMatchObject(failed);
    await expect(table.requests(alias)).rejects.toMatchObject(failed);
    await expect(table.deleteRequests(alias, ["1"])).rejects.toMatchObject(failed);
    aws.fault = undefined;
    const nowhere = createTable("no-such-table", sdkConfig(aws.endpoint));
    await expect(nowhere.id()).rejects.toMatchObject(failed);
  });

  test("a table without an id, from an emulator, is identified by its name and creation time", () => {
    const TableArn = "arn:aws:dynamodb:ddblocal:000000000000:table/keyturn";
    const CreationDateTime = new Date(nowMs + 123);
    const known = `${TableArn} ${nowMs + 123}`;
    expect(tableIdOf({ TableId: "an id", TableArn, CreationDateTime })).toBe("an id");
    expect(tableIdOf({ TableArn, CreationDateTime })).toBe(known);
    expect(tableIdOf({ TableId: "", TableArn, CreationDateTime })).toBe(known);
    expect(tableIdOf({ TableArn })).toBeUndefined();
    expect(tableIdOf({ CreationDateTime })).toBeUndefined();
  });
});

describe("the twin", () => {
  test("restores a backup with all its contents, in a table with another id", async () => {
    const table = createTableTwin({ tableId: "before" });
    await table.create(aRecord());
    await table.bind(keyId, alias, nowMs);
    await table.archive(transitionOf(aStored()).outbox, [{ alias, rotation: aRotation() }]);
    await table.recordConfiguration("hash", applied);
    await table.schedule("audit", nowMs, [aFinding()]);
    await table.takeRunClaim("run-1", nowMs, nowMs + 1);
    table.ask(alias, "1", rotate);
    const backup = table.snapshot();
    const before = structuredClone(backup);

    await claimed(table);
    await table.unbind(keyId, alias);
    await table.archive([], [{ alias, rotation: aRotation({ id: "rotation-2" }) }]);
    await table.forgetConfigurations(["hash"]);
    await table.schedule("audit", nowMs + 1, []);
    await table.releaseRunClaim("run-1");
    await table.deleteRequests(alias, ["1"]);
    expect(table.snapshot()).not.toEqual(before);
    expect(backup).toEqual(before);

    table.restore(backup);
    table.tableId = "after";
    expect(table.snapshot()).toEqual(before);
    expect(await table.id()).toBe("after");
    await claimed(table);
    expect(backup).toEqual(before);
  });
});
