import type { KMS } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  account,
  arnOf,
  bytes,
  everything,
  root,
  openLab,
  outcomeOf,
  policyOf,
  refusalOf,
  type Lab,
} from "./harness.ts";

let lab: Lab;
let kms: KMS;

beforeAll(async () => {
  lab = await openLab();
  ({ kms } = lab);
});

afterAll(async () => {
  await lab.close();
});

/** A key whose policy has these statements beside the one that allows its management. */
async function aKeyWith(...statements: object[]): Promise<string> {
  const manage = {
    ...everything,
    Action: ["kms:Put*", "kms:Get*", "kms:Schedule*", "kms:*Alias", "kms:*Key", "kms:*Resource"],
    Condition: { StringEquals: { "aws:PrincipalArn": arnOf("tester") } },
  };
  const { KeyId } = await lab.aKey({ Policy: policyOf(manage, ...statements) });
  return KeyId;
}

async function encryptAs(user: string, KeyId: string): Promise<string> {
  return outcomeOf(lab.kmsAs(user).encrypt({ KeyId, Plaintext: bytes("m") }));
}

const allow = (Principal: unknown, more: object = {}) => ({
  ...{ Effect: "Allow", Principal, Action: "kms:Encrypt", Resource: "*" },
  ...more,
});
const deny = (Principal: unknown, more: object = {}) => ({
  ...allow(Principal, more),
  Effect: "Deny",
});

describe("the principal", () => {
  const cases: [string, object[], string, boolean][] = [
    ["none, if none is named", [], "alice", false],
    ["the account, and all its principals", [allow(root)], "alice", true],
    ["the account by its number", [allow({ AWS: account })], "alice", true],
    ["another account", [allow({ AWS: "111111111111" })], "alice", false],
    ["every principal", [allow("*")], "alice", true],
    ["one user", [allow({ AWS: [arnOf("alice"), arnOf("carol")] })], "alice", true],
    ["one user and not the other", [allow({ AWS: arnOf("alice") })], "bob", false],
    ["a service, which is not a user", [allow({ Service: "s3.amazonaws.com" })], "alice", false],
    ["denied wins over allowed", [allow("*"), deny({ AWS: arnOf("alice") })], "alice", false],
    ["denied to another", [allow("*"), deny({ AWS: arnOf("alice") })], "bob", true],
    ["denied to all but one", [allow("*"), denyAllBut("alice")], "alice", true],
    ["denied to all but another", [allow("*"), denyAllBut("alice")], "bob", false],
  ];

  function denyAllBut(user: string): object {
    return { ...deny(undefined), NotPrincipal: { AWS: arnOf(user) } };
  }

  test.each(cases)("%s", async (_, statements, user, allowed) => {
    const KeyId = await aKeyWith(...statements);
    expect(await encryptAs(user, KeyId)).toBe(allowed ? "ok" : "AccessDeniedException");
  });

  test("and the error gives the reason", async () => {
    const who = `AccessDeniedException: User: ${arnOf("alice")} is not authorized to perform`;
    const silent = await aKeyWith();
    const arn = (id: string) => `arn:aws:kms:us-east-1:${account}:key/${id}`;
    const request = (KeyId: string) =>
      refusalOf(lab.kmsAs("alice").encrypt({ KeyId, Plaintext: bytes("m") }));
    expect(await request(silent)).toBe(
      `${who}: kms:Encrypt on resource: ${arn(silent)} ` +
        "because no resource-based policy allows the kms:Encrypt action",
    );
    const denying = await aKeyWith(allow("*"), deny("*"));
    expect(await request(denying)).toBe(
      `${who}: kms:Encrypt on resource: ${arn(denying)} ` +
        "with an explicit deny in a resource-based policy",
    );
  });

  test("a session also matches by its role", () => {
    const session = `arn:aws:sts::${account}:assumed-role/rotator/run-1`;
    const { twin } = { twin: lab.aws.kms };
    const role = { AWS: `arn:aws:iam::${account}:role/rotator` };
    const Policy = policyOf(allow(role, { Action: "kms:*" }));
    const caller = { principalArn: session };
    expect(() => twin.call("CreateKey", { Policy }, caller)).not.toThrow();
    const other = { principalArn: session.replace("rotator/", "other/") };
    expect(() => twin.call("CreateKey", { Policy }, other)).toThrow(/will not allow you/);
  });
});

describe("the action and the resource", () => {
  const cases: [string, object, boolean][] = [
    ["an action by its name", { Action: "kms:Encrypt" }, true],
    ["an action in any case", { Action: "KMS:encrypt" }, true],
    ["an action by a pattern", { Action: "kms:En*" }, true],
    ["an action among several", { Action: ["kms:Sign", "kms:Encryp?"] }, true],
    ["another action", { Action: "kms:Decrypt" }, false],
    ["all but this action", { Action: undefined, NotAction: "kms:Encrypt" }, false],
    ["all but another action", { Action: undefined, NotAction: "kms:Decrypt" }, true],
    ["no action: accepted, and without effect", { Action: undefined }, false],
    ["no resource: accepted, and without effect", { Resource: undefined }, false],
    ["any key of the account", { Resource: `arn:aws:kms:us-east-1:${account}:key/*` }, true],
    ["another resource", { Resource: "arn:aws:s3:::bucket" }, false],
  ];

  test.each(cases)("%s", async (_, more, allowed) => {
    const KeyId = await aKeyWith(allow("*", more));
    expect(await encryptAs("alice", KeyId)).toBe(allowed ? "ok" : "AccessDeniedException");
  });
});

describe("the conditions", () => {
  const context = { tenant: "a", Purpose: "test" };
  const cases: [object, boolean][] = [
    [{ StringEquals: { "aws:PrincipalArn": arnOf("alice") } }, true],
    [{ StringEquals: { "AWS:principalarn": arnOf("alice") } }, true],
    [{ StringEquals: { "aws:PrincipalArn": [arnOf("bob"), arnOf("alice")] } }, true],
    [{ StringNotEquals: { "aws:PrincipalArn": [arnOf("bob"), arnOf("alice")] } }, false],
    [{ ArnLike: { "aws:PrincipalArn": `arn:aws:iam::${account}:user/a*` } }, true],
    [{ ArnEquals: { "aws:PrincipalArn": arnOf("bob") } }, false],
    [{ ArnNotLike: { "aws:PrincipalArn": arnOf("b*") } }, true],
    [{ StringEquals: { "aws:PrincipalAccount": account } }, true],
    [{ StringEquals: { "kms:CallerAccount": account } }, true],
    [{ StringEquals: { "kms:CallerAccount": "111111111111" } }, false],
    [{ StringEquals: { "kms:ViaService": "s3.us-east-1.amazonaws.com" } }, false],
    [{ StringEqualsIfExists: { "kms:ViaService": "s3.us-east-1.amazonaws.com" } }, true],
    [{ StringNotEquals: { "kms:ViaService": "s3.us-east-1.amazonaws.com" } }, true],
    [{ Null: { "kms:ViaService": "true" } }, true],
    [{ Null: { "kms:ViaService": true } }, true],
    [{ Null: { "kms:KeySpec": "true" } }, false],
    [{ StringEquals: { "kms:KeySpec": "SYMMETRIC_DEFAULT" } }, true],
    [{ StringLike: { "kms:KeyUsage": "ENCRYPT_*" } }, true],
    [{ StringNotLike: { "kms:KeyUsage": "ENCRYPT_*" } }, false],
    [{ Bool: { "kms:MultiRegion": "false" } }, true],
    [{ Bool: { "aws:SecureTransport": false } }, false],
    [{ StringEquals: { "kms:EncryptionContext:tenant": "a" } }, true],
    [{ StringEquals: { "kms:EncryptionContext:purpose": "test" } }, true],
    [{ StringEquals: { "kms:EncryptionContext:tenant": "A" } }, false],
    [{ "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["tenant"] } }, false],
    [{ "ForAnyValue:StringEquals": { "kms:EncryptionContextKeys": ["tenant"] } }, true],
    [{ "ForAnyValue:StringNotEquals": { "kms:EncryptionContextKeys": ["tenant"] } }, true],
    [{ "ForAllValues:StringEquals": { "kms:GrantOperations": ["Encrypt"] } }, true],
    [{ "ForAnyValue:StringEquals": { "kms:GrantOperations": ["Encrypt"] } }, false],
    [{ StringEquals: { "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT" } }, true],
    [{ NumericGreaterThan: { "kms:TrailingDaysWithoutKeyUsage": 1 } }, false],
    [{ DateGreaterThan: { "aws:CurrentTime": "2026-01-01T00:00:00Z" } }, true],
    [{ DateLessThan: { "aws:CurrentTime": "2026-01-01T00:00:00Z" } }, false],
    [
      {
        StringEquals: { "kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:CallerAccount": account },
        Bool: { "kms:MultiRegion": true },
      },
      false,
    ],
  ];

  test.each(cases)("%j: %s", async (Condition, allowed) => {
    const KeyId = await aKeyWith(allow("*", { Condition }));
    const encrypt = { KeyId, Plaintext: bytes("m"), EncryptionContext: context };
    expect(await outcomeOf(lab.kmsAs("alice").encrypt(encrypt))).toBe(
      allowed ? "ok" : "AccessDeniedException",
    );
  });

  test("kms:RequestAlias is the alias in the request", async () => {
    const Condition = { StringNotEquals: { "kms:RequestAlias": "alias/named" } };
    const KeyId = await aKeyWith(allow("*"), deny("*", { Condition }));
    await kms.createAlias({ AliasName: "alias/named", TargetKeyId: KeyId });
    await kms.createAlias({ AliasName: "alias/nicknamed", TargetKeyId: KeyId });
    const aliasArn = `arn:aws:kms:us-east-1:${account}:alias/named`;
    expect(await encryptAs("alice", "alias/named")).toBe("ok");
    expect(await encryptAs("alice", aliasArn)).toBe("ok");
    for (const name of [KeyId, "alias/nicknamed"]) {
      expect(await encryptAs("alice", name)).toBe("AccessDeniedException");
    }
  });

  test("a condition on request tags limits the tags", async () => {
    const tagging = { Action: "kms:TagResource" };
    const Condition = {
      StringEquals: { "aws:RequestTag/team": "a" },
      "ForAllValues:StringEquals": { "aws:TagKeys": ["team"] },
    };
    const KeyId = await aKeyWith(allow("*", { ...tagging, Condition }));
    const alice = lab.kmsAs("alice");
    const tag = (TagKey: string, TagValue: string) => ({ TagKey, TagValue });
    expect(await outcomeOf(alice.tagResource({ KeyId, Tags: [tag("team", "a")] }))).toBe("ok");
    for (const Tags of [[tag("team", "b")], [tag("team", "a"), tag("x", "y")]]) {
      expect(await outcomeOf(alice.tagResource({ KeyId, Tags }))).toBe("AccessDeniedException");
    }
  });

  test("a minimum of a deletion's waiting period", async () => {
    const name = "kms:ScheduleKeyDeletionPendingWindowInDays";
    const Condition = { NumericLessThan: { [name]: "14" } };
    const KeyId = await aKeyWith(deny("*", { Action: "kms:ScheduleKeyDeletion", Condition }));
    const schedule = (PendingWindowInDays: number) =>
      outcomeOf(kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays }));
    expect(await schedule(7)).toBe("AccessDeniedException");
    expect(await schedule(14)).toBe("ok");
  });
});
