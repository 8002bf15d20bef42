import { describe, expect, test } from "vitest";
import {
  accountsIn,
  accountsOfPolicy,
  withGrantees,
} from "../../lambda/workflow/safety/other-accounts.ts";

const own = "000000000000";
const partner = "222233334444";
const arn = `arn:aws:kms:us-east-1:${own}:key/key-1`;
const role = `arn:aws:iam::${partner}:role/app`;

function admittedBy(statement: object, grantee = `arn:aws:iam::${own}:role/app`): string[] {
  const shown = { Effect: "Allow", Action: "kms:Decrypt", Resource: "*", ...statement };
  const grant = { grantId: "g1", grantee, operations: ["Decrypt"] };
  const accounts = accountsOfPolicy(JSON.stringify({ Statement: [shown] }), arn);
  return withGrantees(accounts, [grant], arn);
}

describe("a key admits callers of other accounts", () => {
  test.each<[what: string, statement: object, accounts: string[]]>([
    ["its own account", { Principal: { AWS: `arn:aws:iam::${own}:root` } }, []],
    ["a role", { Principal: { AWS: role } }, [partner]],
    ["an account by its number", { Principal: { AWS: [partner, own] } }, [partner]],
    [
      "two accounts, sorted",
      { Principal: { AWS: [partner, "111122223333"] } },
      ["111122223333", partner],
    ],
    ["a role that was deleted", { Principal: { AWS: "AROA012345678901" } }, []],
    ["no account, by its number", { Principal: { AWS: "2222333344445" } }, []],
    ["anybody", { Principal: "*" }, ["*"]],
    ["anybody, in the longer spelling", { Principal: { AWS: "*" } }, ["*"]],
    ["all but one", { NotPrincipal: { AWS: role } }, ["*"]],
    ["a service", { Principal: { Service: "logs.amazonaws.com" } }, []],
    ["what it denies", { Effect: "Deny", Principal: { AWS: role } }, []],
    [
      "two roles of one account",
      { Principal: { AWS: [role, `arn:aws:iam::${partner}:root`] } },
      [partner],
    ],
  ])("that its policy allows: %s", (_what, statement, accounts) => {
    expect(admittedBy(statement)).toEqual(accounts);
  });

  test.each<[condition: object, accounts: string[]]>([
    [{ StringEquals: { "kms:CallerAccount": own } }, []],
    [{ StringEquals: { "kms:calleraccount": [own] } }, []],
    [{ StringEquals: { "aws:PrincipalAccount": [own, partner] } }, [partner]],
    [{ StringEquals: { "aws:SourceAccount": own } }, []],
    [{ StringEquals: { "kms:ViaService": "s3.us-east-1.amazonaws.com" } }, ["*"]],
    [{ StringNotEquals: { "kms:CallerAccount": own } }, ["*"]],
  ])("unless a condition names the callers' accounts: %j", (condition, accounts) => {
    expect(admittedBy({ Principal: "*", Condition: condition })).toEqual(accounts);
  });

  test("but not where a principal has no account", () => {
    const statement = { Effect: "Allow", Principal: { AWS: "arn:aws:s3:::a-bucket" } };
    expect(accountsOfPolicy(JSON.stringify({ Statement: statement }), arn)).toEqual([]);
  });

  test("where a grant names one of their principals", () => {
    const nobody = { Principal: { AWS: `arn:aws:iam::${own}:root` } };
    expect(admittedBy(nobody, role)).toEqual([partner]);
    expect(admittedBy(nobody, "rds.amazonaws.com")).toEqual([]);
  });
});

test("a finding names the accounts", () => {
  expect(accountsIn([partner])).toBe("callers of account 222233334444");
  expect(accountsIn(["111122223333", partner])).toBe(
    "callers of account 111122223333, 222233334444",
  );
  expect(accountsIn(["*", partner])).toBe("callers of any account");
});
