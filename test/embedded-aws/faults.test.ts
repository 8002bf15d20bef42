import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openLab, outcomeOf, type Lab } from "./harness.ts";

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
  await lab.aws.createStateTable("faulty");
});

afterEach(() => {
  lab.aws.fault = undefined;
});

afterAll(async () => {
  await lab.close();
});

const TableName = "faulty";
const item = (pk: string) => ({ TableName, Item: { pk: { S: pk }, sk: { S: "s" } } });
const keyCount = () => lab.aws.kms.snapshot().keys.length;

async function has(pk: string): Promise<boolean> {
  const { Item: _, ...rest } = item(pk);
  const { Item } = await lab.dynamoDb.getItem({ ...rest, Key: { pk: { S: pk }, sk: { S: "s" } } });
  return Item !== undefined;
}

test("a rejected call returns the error, and is not applied", async () => {
  const before = keyCount();
  lab.aws.fault = () => ({ kind: "before", code: "KMSInternalException", status: 500 });
  const attempt = lab.kms.createKey({});
  await expect(attempt).rejects.toMatchObject({
    name: "KMSInternalException",
    $metadata: { httpStatusCode: 500 },
  });
  expect(keyCount()).toBe(before);
});

test("a call whose answer is lost is applied", async () => {
  const before = keyCount();
  lab.aws.fault = () => ({ kind: "lost" });
  expect(await outcomeOf(lab.kms.createKey({}))).not.toBe("ok");
  expect(await outcomeOf(lab.dynamoDb.putItem(item("lost")))).not.toBe("ok");
  lab.aws.fault = undefined;
  expect(keyCount()).toBe(before + 1);
  expect(await has("lost")).toBe(true);
});

test("a dropped call is neither applied nor answered", async () => {
  const before = keyCount();
  lab.aws.fault = () => ({ kind: "drop" });
  expect(await outcomeOf(lab.kms.createKey({}))).not.toBe("ok");
  expect(await outcomeOf(lab.dynamoDb.putItem(item("dropped")))).not.toBe("ok");
  lab.aws.fault = undefined;
  expect(keyCount()).toBe(before);
  expect(await has("dropped")).toBe(false);
});

test("a delayed call is applied in the end", async () => {
  lab.aws.fault = () => ({ kind: "delay", ms: 60 });
  const startedMs = performance.now();
  await lab.kms.listKeys({});
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(55);
});

test("a fault is chosen by service, operation and input", async () => {
  const asked: unknown[] = [];
  lab.aws.fault = (service, operation, input) => {
    asked.push([service, operation, input]);
    return operation === "DeleteAlias" ? { kind: "drop" } : undefined;
  };
  expect(await outcomeOf(lab.kms.listKeys({ Limit: 7 }))).toBe("ok");
  expect(await outcomeOf(lab.dynamoDb.listTables({}))).toBe("ok");
  expect(await outcomeOf(lab.kms.deleteAlias({ AliasName: "alias/x" }))).not.toBe("ok");
  expect(asked).toEqual([
    ["kms", "ListKeys", { Limit: 7 }],
    ["dynamodb", "ListTables", {}],
    ["kms", "DeleteAlias", { AliasName: "alias/x" }],
  ]);
});
