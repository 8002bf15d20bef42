import type { CreateGrantCommandInput, GrantOperation, KMS } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { account, arnOf, bytes, openLab, outcomeOf, refusalOf, type Lab } from "./harness.ts";

let lab: Lab;
let kms: KMS;
let alice: KMS;
let KeyId: string;

/** The policy allows only the tester: all other permissions come from grants. */
beforeAll(async () => {
  lab = await openLab();
  ({ kms } = lab);
  alice = lab.kmsAs("alice");
  ({ KeyId } = await aKeyOfOneOwner());
});

afterAll(async () => {
  await lab.close();
});

async function aKeyOfOneOwner(kind: object = {}): Promise<{ KeyId: string; Arn: string }> {
  const Statement = {
    Effect: "Allow",
    ...{ Principal: { AWS: arnOf("tester") }, Action: "kms:*", Resource: "*" },
  };
  return lab.aKey({ Policy: JSON.stringify({ Statement }), ...kind });
}

async function grantTo(user: string, more: Partial<CreateGrantCommandInput> = {}) {
  const Operations: GrantOperation[] = ["Encrypt"];
  const grant = await kms.createGrant({
    KeyId,
    GranteePrincipal: arnOf(user),
    Operations,
    ...more,
  });
  return { GrantId: grant.GrantId ?? "", GrantToken: grant.GrantToken ?? "" };
}

const encrypt = (client: KMS, EncryptionContext: Record<string, string> = {}) =>
  outcomeOf(client.encrypt({ KeyId, Plaintext: bytes("m"), EncryptionContext }));

describe("a grant allows its operations to its grantee", () => {
  test("until it is revoked", async () => {
    expect(await encrypt(alice)).toBe("AccessDeniedException");
    const { GrantId } = await grantTo("alice");
    expect(await encrypt(alice)).toBe("ok");
    expect(await encrypt(lab.kmsAs("bob"))).toBe("AccessDeniedException");
    expect(await outcomeOf(alice.describeKey({ KeyId }))).toBe("AccessDeniedException");
    await kms.revokeGrant({ KeyId, GrantId });
    expect(await encrypt(alice)).toBe("AccessDeniedException");
    expect(await outcomeOf(kms.revokeGrant({ KeyId, GrantId }))).toBe("NotFoundException");
  });

  test("within the encryption context that it requires", async () => {
    const pairs = { tenant: "a" };
    const equals = await grantTo("alice", { Constraints: { EncryptionContextEquals: pairs } });
    expect(await encrypt(alice, pairs)).toBe("ok");
    expect(await encrypt(alice, { ...pairs, more: "b" })).toBe("AccessDeniedException");
    expect(await encrypt(alice, { Tenant: "a" })).toBe("AccessDeniedException");
    await kms.revokeGrant({ KeyId, ...equals });
    const subset = await grantTo("alice", { Constraints: { EncryptionContextSubset: pairs } });
    expect(await encrypt(alice, { ...pairs, more: "b" })).toBe("ok");
    expect(await encrypt(alice, { more: "b" })).toBe("AccessDeniedException");
    await kms.revokeGrant({ KeyId, ...subset });
  });

  test("unless the key policy denies", async () => {
    const owner = { Principal: { AWS: arnOf("tester") }, Action: "kms:*", Resource: "*" };
    const anyone = { Principal: "*", Action: "kms:Encrypt", Resource: "*" };
    const Statement = [
      { Effect: "Allow", ...owner },
      { Effect: "Deny", ...anyone },
    ];
    const key = await lab.aKey({ Policy: JSON.stringify({ Statement }) });
    const GranteePrincipal = arnOf("alice");
    await kms.createGrant({ ...key, GranteePrincipal, Operations: ["Encrypt"] });
    const attempt = alice.encrypt({ KeyId: key.KeyId, Plaintext: bytes("m") });
    expect(await refusalOf(attempt)).toContain("with an explicit deny");
  });

  test("and each half of ReEncrypt separately", async () => {
    const source = await aKeyOfOneOwner();
    const destination = await aKeyOfOneOwner();
    const { CiphertextBlob } = await kms.encrypt({ ...source, Plaintext: bytes("m") });
    const move = () =>
      outcomeOf(alice.reEncrypt({ CiphertextBlob, DestinationKeyId: destination.KeyId }));
    const GranteePrincipal = arnOf("alice");
    await kms.createGrant({ ...source, GranteePrincipal, Operations: ["ReEncryptFrom"] });
    expect(await move()).toBe("AccessDeniedException");
    await kms.createGrant({ ...destination, GranteePrincipal, Operations: ["ReEncryptTo"] });
    expect(await move()).toBe("ok");
  });
});

describe("a grant is made once", () => {
  test("if the requests are the same and have a name", async () => {
    const named = { Name: "one", Operations: ["Decrypt" as const] };
    const first = await grantTo("once", named);
    const second = await grantTo("once", named);
    expect(second.GrantId).toBe(first.GrantId);
    expect(second.GrantToken).not.toBe(first.GrantToken);
    const changed = await grantTo("once", { ...named, Operations: ["Encrypt"] });
    expect(changed.GrantId).not.toBe(first.GrantId);
  });

  test("per request, if it has no name", async () => {
    const ids = [await grantTo("twice"), await grantTo("twice")].map((grant) => grant.GrantId);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test("and is listed with its parameters", async () => {
    const key = await aKeyOfOneOwner();
    const asked = {
      Name: "shown",
      GranteePrincipal: arnOf("shown"),
      RetiringPrincipal: arnOf("showing"),
      Operations: ["Encrypt", "Decrypt"] as GrantOperation[],
      Constraints: { EncryptionContextSubset: { a: "b" } },
    };
    const { GrantId } = await kms.createGrant({ ...key, ...asked });
    expect((await kms.listGrants(key)).Grants).toEqual([
      {
        ...asked,
        GrantId,
        KeyId: key.Arn,
        IssuingAccount: `arn:aws:iam::${account}:root`,
        CreationDate: new Date(lab.aws.clock.nowMs()),
      },
    ]);
  });
});

describe("an invalid grant", () => {
  const hmac = { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" };
  const constraint = { EncryptionContextSubset: { a: "b" } };
  const pairs = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, "v"]));
  const cases: [string, object, object, string][] = [
    ["an operation of another kind of key", {}, { Operations: ["Sign"] }, "ValidationException"],
    ["encryption with an HMAC key", hmac, { Operations: ["Encrypt"] }, "ValidationException"],
    [
      "an operation that cannot be granted",
      {},
      { Operations: ["PutKeyPolicy"] },
      "ValidationException",
    ],
    ["no operation", {}, { Operations: [] }, "ValidationException"],
    [
      "a context for a key that takes none",
      hmac,
      { Operations: ["GenerateMac"], Constraints: constraint },
      "ValidationException",
    ],
    [
      "more than eight pairs",
      {},
      { Constraints: { EncryptionContextEquals: pairs(9) } },
      "ValidationException",
    ],
    ["an invalid token", {}, { GrantTokens: ["none"] }, "InvalidGrantTokenException"],
    ["a dry run", {}, { DryRun: true }, "DryRunOperationException"],
    ["a name with a blank", {}, { Name: "a b" }, "ValidationException"],
  ];

  test.each(cases)("%s", async (_, kind, more, expected) => {
    const key = await aKeyOfOneOwner(kind);
    const GranteePrincipal = arnOf("alice");
    const request = { ...key, GranteePrincipal, Operations: ["Encrypt"], ...more };
    expect(await outcomeOf(kms.createGrant(request as CreateGrantCommandInput))).toBe(expected);
    expect((await kms.listGrants(key)).Grants).toEqual([]);
  });
});

describe("a grant is retired", () => {
  const retirable = { RetiringPrincipal: arnOf("retiring") };

  test("by the principal it names, with its token or its ids", async () => {
    const retiring = lab.kmsAs("retiring");
    const { GrantToken } = await grantTo("alice", retirable);
    expect(await outcomeOf(retiring.retireGrant({ GrantToken }))).toBe("ok");
    const { GrantId } = await grantTo("alice", retirable);
    expect(await outcomeOf(retiring.retireGrant({ KeyId, GrantId }))).toBe("ok");
    const listed = await kms.listRetirableGrants(retirable);
    expect(listed.Grants).toEqual([]);
  });

  test("by its grantee, and by no other principal", async () => {
    const Operations: GrantOperation[] = ["Encrypt", "RetireGrant"];
    const { GrantToken } = await grantTo("alice", { ...retirable, Operations });
    await grantTo("alice", retirable);
    expect(await outcomeOf(kms.retireGrant({ GrantToken }))).toBe("AccessDeniedException");
    expect(await outcomeOf(alice.retireGrant({ GrantToken }))).toBe("ok");
    expect((await kms.listRetirableGrants(retirable)).Grants?.length).toBe(1);
  });

  test("and identified in one way, by an existing token or id", async () => {
    const { GrantId } = await grantTo("alice", retirable);
    const retiring = lab.kmsAs("retiring");
    const attempts: [object, string][] = [
      [{}, "ValidationException"],
      [{ KeyId }, "ValidationException"],
      [{ GrantId }, "ValidationException"],
      [{ GrantToken: "none" }, "InvalidGrantTokenException"],
      [{ KeyId, GrantId: "none" }, "InvalidGrantIdException"],
      [{ KeyId, GrantId: "0".repeat(64) }, "NotFoundException"],
      [{ KeyId, GrantId, DryRun: true }, "DryRunOperationException"],
    ];
    for (const [request, expected] of attempts) {
      expect(await outcomeOf(retiring.retireGrant(request))).toBe(expected);
    }
  });
});

describe("a principal that may create grants only by a grant", () => {
  const pairs = { tenant: "a" };

  test("passes on at most its own permissions", async () => {
    const key = await aKeyOfOneOwner();
    const Constraints = { EncryptionContextSubset: pairs };
    const held: GrantOperation[] = ["CreateGrant", "Encrypt"];
    const GranteePrincipal = arnOf("alice");
    await kms.createGrant({ ...key, GranteePrincipal, Operations: held, Constraints });
    const pass = (Operations: GrantOperation[], context: Record<string, string>) =>
      outcomeOf(
        alice.createGrant({
          ...key,
          GranteePrincipal: arnOf("bob"),
          Operations,
          Constraints: { EncryptionContextEquals: context },
        }),
      );
    expect(await pass(["Encrypt"], { ...pairs, more: "b" })).toBe("ok");
    expect(await pass(["Decrypt"], pairs)).toBe("AccessDeniedException");
    expect(await pass(["Encrypt"], { tenant: "b" })).toBe("AccessDeniedException");
  });

  test.each(["alice", "arn:aws:s3:::bucket"])("%s is not a principal", async (GranteePrincipal) => {
    const request = { KeyId, GranteePrincipal, Operations: ["Encrypt" as const] };
    expect(await outcomeOf(kms.createGrant(request))).toBe("InvalidArnException");
  });

  test("a service is a principal", async () => {
    const GranteePrincipal = "dynamodb.us-east-1.amazonaws.com";
    const request = { KeyId, GranteePrincipal, Operations: ["Encrypt" as const] };
    expect(await outcomeOf(kms.createGrant(request))).toBe("ok");
  });
});
