/** The permissions of an operator's role, none of them for KMS. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requestWriting, stateReading } from "../../infra/permissions.ts";
import type { Account } from "../infra/account.ts";
import { orders } from "../infra/least-privilege-histories.ts";
import { account as accountId, policyOf, region, tableName } from "../infra/role.ts";
import { nowOf, typed } from "./binary.ts";
import { aFleet } from "./fleet.ts";

const tableArn = `arn:aws:dynamodb:${region}:${accountId}:table/${tableName}`;
const { actions, resourceArns } = stateReading(tableArn);
const reading = { Effect: "Allow" as const, Action: actions, Resource: resourceArns };
const asking = requestWriting([orders]);
const writing = {
  Effect: "Allow" as const,
  Action: asking.actions,
  Resource: tableArn,
  Condition: asking.conditions,
};

let account: Account;
const out = mkdtempSync(join(tmpdir(), "keyturn-rights-"));
beforeAll(async () => {
  account = await aFleet(40);
  account.policies.attach(`arn:aws:iam::${accountId}:user/auditor`, [policyOf([reading])]);
  account.policies.attach(`arn:aws:iam::${accountId}:user/operator`, [
    policyOf([reading, writing]),
  ]);
});
afterAll(async () => {
  await account.close();
  rmSync(out, { recursive: true });
});

const as = (user: string, ...args: string[]) =>
  typed(account, [...args, ...nowOf(account)], { AWS_ACCESS_KEY_ID: user });

describe("with only grantReading", () => {
  test.each([
    ["status"],
    ["status", orders],
    ["plan"],
    ["plan", "--out", join(out, "plan.json")],
    ["history", orders],
    ["verify"],
    ["doctor"],
    ["report", "--out", join(out, "report")],
  ])("keyturn %s %s", async (...args) => {
    const { code, stderr } = await as("auditor", ...args);
    expect([0, 1]).toContain(code);
    expect(stderr).not.toContain("lack the permission");
  });

  test("no request can be written", async () => {
    const { code, stderr, stdout } = await as("auditor", "pause", orders);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain("these credentials lack the permission");
  });
});

describe("with grantRequests for one managed key", () => {
  test("a request for it can be written, and for no other", async () => {
    expect((await as("operator", "pause", orders)).code).toBe(0);
    expect((await as("operator", "pause", "alias/moved")).code).toBe(3);
  });
});

test("no command calls KMS", async () => {
  account.aws.resetCalls();
  await as("operator", "status");
  await as("operator", "plan");
  await as("operator", "rotate", orders, "--anyway");
  expect(account.aws.calls().kms).toEqual({});
});
