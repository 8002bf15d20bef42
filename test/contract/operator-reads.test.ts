/** What operators' commands read of refused uses, beside the records. */
import { expect, onTestFinished, test } from "vitest";
import { createTable } from "../../lambda/aws/dynamodb.ts";
import { createState } from "../../lambda/aws/dynamodb-reading.ts";
import { startEmbeddedAws } from "../../embedded-aws/embedded-aws.ts";
import { sdkConfig } from "./sides.ts";

const tableName = "keyturn";
const applied = { owner: "acme", mode: "act" as const, policies: ["one"], taggedAliases: [] };

async function aTable() {
  const aws = await startEmbeddedAws();
  onTestFinished(() => aws.close());
  await aws.createStateTable(tableName);
  const sdk = sdkConfig(aws.endpoint);
  return { table: createTable(tableName, sdk), state: createState(tableName, sdk) };
}

test("the accepted refusals of the applied configuration; none of an older version's", async () => {
  const { table, state } = await aTable();
  await table.recordConfiguration("old", applied);
  expect(await state.configuration()).toEqual(applied);
  await table.forgetConfigurations(["old"]);
  const acceptedRefusals = [{ alias: "alias/*", principal: "one", operation: "*", error: "*" }];
  const now = { ...applied, acceptedRefusals, refusalsWatch: "cloudtrail" as const };
  await table.recordConfiguration("new", now);
  expect(await state.configuration()).toEqual(now);
});

test("the refused uses that no run has read", async () => {
  const { table, state } = await aTable();
  const none = { revision: 1, on: {} };
  await table.saveRefusals("alias/late", { ...none, dueAtMs: 5 }, 0);
  await table.saveRefusals("alias/later", { ...none, dueAtMs: 9 }, 0);
  await table.saveRefusals("alias/read", none, 0);
  expect(await state.refusalsDue(8)).toEqual([{ alias: "alias/late", dueAtMs: 5 }]);
  await table.refusalsRead("alias/late", 1);
  expect(await state.refusalsDue(8)).toEqual([]);
  expect(await state.refusals("alias/late")).toEqual({ ...none, revision: 2 });
  expect(await state.refusals("alias/unknown")).toBeUndefined();
});
