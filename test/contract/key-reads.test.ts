import { describe, expect, test } from "vitest";
import type { KeyService } from "../../lambda/ports.ts";
import { withAliasOnly } from "../../lambda/workflow/enrolment/alias-only.ts";
import { dayMs, hourMs } from "../fixtures.ts";
import { absentKeyId, keySides, policyFor, startMs } from "./sides.ts";

const reads: [what: string, read: (keys: KeyService, keyId: string) => Promise<unknown>][] = [
  ["the key", (keys, keyId) => keys.describe(keyId)],
  ["its policy", (keys, keyId) => keys.policyOf(keyId)],
  ["its tags", (keys, keyId) => keys.tagsOf(keyId)],
  ["its grants", (keys, keyId) => keys.grantsOf(keyId)],
  ["its last use", (keys, keyId) => keys.lastUseOf(keyId)],
];

const grantee = "arn:aws:iam::000000000000:role/orders";

describe.each(keySides)("a KMS read through %s", (_side, open) => {
  test("returns the state of a key, by id, by ARN and by alias", async () => {
    const { keys, ask, aKey, accountId, clock, toldAs } = await open();
    const keyId = aKey({
      KeySpec: "ECC_NIST_P256",
      KeyUsage: "SIGN_VERIFY",
      Description: "signs",
    });
    const arn = `arn:aws:kms:us-east-1:${accountId}:key/${keyId}`;
    ask("CreateAlias", { AliasName: "alias/orders", TargetKeyId: keyId });
    for (const name of [keyId, arn, "alias/orders"]) {
      expect(await keys.describe(name)).toStrictEqual({
        kind: "observed",
        value: {
          keyId,
          arn,
          state: "Enabled",
          managedBy: "CUSTOMER",
          description: "signs",
          createdAtMs: toldAs(clock.nowMs()),
          spec: "ECC_NIST_P256",
          usage: "SIGN_VERIFY",
          origin: "AWS_KMS",
          multiRegion: false,
        },
      });
    }
  });

  test("returns the deletion date of a key, and absent after it", async () => {
    const { keys, ask, aKey, clock } = await open();
    const keyId = aKey();
    ask("ScheduleKeyDeletion", { KeyId: keyId, PendingWindowInDays: 7 });
    expect(await keys.describe(keyId)).toMatchObject({
      kind: "observed",
      value: { state: "PendingDeletion", deletionAtMs: startMs + 7 * dayMs },
    });
    clock.advance(7 * dayMs);
    expect(await keys.describe(keyId)).toEqual({ kind: "absent" });
  });

  test("returns the custom key store of a key, and its manager", async () => {
    const { keys, aKey, kms } = await open({
      customKeyStores: [{ id: "cks-1", type: "AWS_CLOUDHSM", connected: true }],
    });
    const keyId = aKey({ Origin: "AWS_CLOUDHSM", CustomKeyStoreId: "cks-1" });
    expect(await keys.describe(keyId)).toMatchObject({
      value: { origin: "AWS_CLOUDHSM", customKeyStoreId: "cks-1", managedBy: "CUSTOMER" },
    });
    expect(await keys.describe(kms.addAwsManagedKey("s3"))).toMatchObject({
      value: { managedBy: "AWS" },
    });
  });

  test.each(reads)("returns absent for %s if the key does not exist", async (_what, read) => {
    const { keys } = await open();
    expect(await read(keys, absentKeyId)).toEqual({ kind: "absent" });
  });

  test.each(reads)("returns denied for %s if its policy forbids the read", async (_, read) => {
    const { keys, aKey } = await open();
    const observation = await read(keys, aKey({ Policy: policyFor() }));
    expect(observation).toMatchObject({ kind: "denied" });
    expect(observation).toHaveProperty("message", expect.stringContaining("is not authorized"));
  });

  test("returns absent for an alias that does not exist", async () => {
    const { keys } = await open();
    expect(await keys.describe("alias/absent")).toEqual({ kind: "absent" });
    expect(await keys.aliasesOf(absentKeyId)).toEqual({ kind: "absent" });
  });

  test("lists the aliases of a key, which no key policy hides", async () => {
    const { keys, ask, aKey } = await open();
    const [keyId, other, none] = [aKey({ Policy: policyFor() }), aKey(), aKey()];
    for (const [AliasName, TargetKeyId] of [
      ["alias/a", keyId],
      ["alias/b", other],
      ["alias/c", keyId],
    ]) {
      ask("CreateAlias", { AliasName, TargetKeyId });
    }
    const observation = await keys.aliasesOf(keyId);
    expect(observation).toEqual({ kind: "observed", value: ["alias/a", "alias/c"] });
    expect(await keys.aliasesOf(none)).toEqual({ kind: "observed", value: [] });
  });

  test("lists every alias of the account, over all pages", async () => {
    const { keys, ask, aKey } = await open();
    const made = Array.from({ length: 5 }, () => aKey()).flatMap((keyId, key) =>
      Array.from({ length: 50 }, (_, index) => ({ alias: `alias/k${key}/${index}`, keyId })),
    );
    for (const { alias, keyId } of made) {
      ask("CreateAlias", { AliasName: alias, TargetKeyId: keyId });
    }
    const all = await keys.allAliases();
    expect(all).toHaveLength(250);
    expect(new Set(all.map(({ alias, keyId }) => `${alias} ${keyId}`))).toEqual(
      new Set(made.map(({ alias, keyId }) => `${alias} ${keyId}`)),
    );
  });

  test("lists all fifty tags of a key", async () => {
    const { keys, aKey } = await open();
    const names = Array.from({ length: 50 }, (_, index) => `name ${index}`);
    const keyId = aKey({ Tags: names.map((TagKey) => ({ TagKey, TagValue: `of ${TagKey}` })) });
    expect(await keys.tagsOf(keyId)).toEqual({
      kind: "observed",
      value: Object.fromEntries(names.map((name) => [name, `of ${name}`])),
    });
    expect(await keys.tagsOf(aKey())).toEqual({ kind: "observed", value: {} });
  });

  test("lists every grant of a key, over all pages", async () => {
    const { keys, ask, aKey } = await open();
    const keyId = aKey();
    const names = Array.from({ length: 205 }, (_, index) => `grant-${index}`);
    for (const Name of names) {
      ask("CreateGrant", {
        KeyId: keyId,
        Name,
        GranteePrincipal: grantee,
        Operations: ["Encrypt"],
      });
    }
    const observation = await keys.grantsOf(keyId);
    const grants = observation.kind === "observed" ? observation.value : [];
    expect(grants.map(({ name }) => name).sort()).toEqual(names.sort());
    expect(new Set(grants.map(({ grantId }) => grantId)).size).toBe(205);
  });

  test("returns a grant with all its fields, and no others", async () => {
    const { keys, ask, aKey } = await open();
    const keyId = aKey();
    const { GrantId: bare } = ask<{ GrantId: string }>("CreateGrant", {
      KeyId: keyId,
      GranteePrincipal: grantee,
      Operations: ["Encrypt", "Decrypt"],
    });
    const observation = await keys.grantsOf(keyId);
    expect(observation).toStrictEqual({
      kind: "observed",
      value: [{ grantId: bare, grantee, operations: ["Encrypt", "Decrypt"] }],
    });
    ask("RevokeGrant", { KeyId: keyId, GrantId: bare });
    const { GrantId: full } = ask<{ GrantId: string }>("CreateGrant", {
      KeyId: keyId,
      Name: "orders",
      GranteePrincipal: grantee,
      RetiringPrincipal: grantee,
      Operations: ["Decrypt"],
      Constraints: { EncryptionContextSubset: { tenant: "a" } },
    });
    expect(await keys.grantsOf(keyId)).toStrictEqual({
      kind: "observed",
      value: [
        {
          grantId: full,
          grantee,
          operations: ["Decrypt"],
          name: "orders",
          retiring: grantee,
          constraints: { encryptionContextSubset: { tenant: "a" } },
        },
      ],
    });
  });

  test("hashes a policy by its meaning, not its layout", async () => {
    const { keys, aKey } = await open();
    const principal = { AWS: "arn:aws:iam::000000000000:root" };
    const admin = { Effect: "Allow", Principal: principal, Action: "kms:*", Resource: "*" };
    const use = (Action: string | string[]) => ({ ...admin, Sid: "use", Action });
    const spellings = [
      { Version: "2012-10-17", Statement: [admin, use(["kms:Encrypt", "kms:Decrypt"])] },
      { Statement: [use(["kms:Decrypt", "kms:Encrypt"]), admin], Version: "2012-10-17" },
    ];
    const other = { Version: "2012-10-17", Statement: [admin, use("kms:Encrypt")] };
    const lone = { Version: "2012-10-17", Statement: [admin, use(["kms:Encrypt"])] };
    const hashes: string[] = [];
    for (const policy of [...spellings, other, lone]) {
      const observation = await keys.policyOf(aKey({ Policy: JSON.stringify(policy) }));
      if (observation.kind !== "observed") throw new Error(observation.kind);
      expect(JSON.parse(observation.value.document)).toEqual(policy);
      hashes.push(observation.value.hash);
    }
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[2]).toBe(hashes[3]);
    expect(hashes[0]).not.toBe(hashes[2]);
  });

  test("returns the only aliases through which a key originates, if its policy restricts them", async () => {
    const { keys, aKey } = await open();
    const plain = policyFor("kms:*");
    const aliases = ["alias/orders", "alias/orders-too"];
    const policies = [plain, withAliasOnly(plain, aliases), withAliasOnly(plain, ["alias/orders"])];
    const observations = await Promise.all(
      policies.map((Policy) => keys.policyOf(aKey({ Policy }))),
    );
    const observed = observations.flatMap((observation) =>
      observation.kind === "observed" ? [observation.value] : [],
    );
    expect(observed.map(({ aliasOnly }) => aliasOnly)).toEqual([
      undefined,
      aliases,
      ["alias/orders"],
    ]);
    expect(observed[0]).not.toHaveProperty("aliasOnly");
    expect(new Set(observed.map(({ hash }) => hash)).size).toBe(1);
  });
});

describe.each(keySides)("the last use of a key, through %s", (_side, open) => {
  test("is never, for an unused key younger than KMS's tracking", async () => {
    const { keys, aKey, clock, toldAs } = await open();
    expect(await keys.lastUseOf(aKey())).toEqual({
      kind: "observed",
      value: { kind: "never", sinceMs: toldAs(clock.nowMs()) },
    });
  });

  test("is the last operation, once KMS shows it an hour later", async () => {
    const { keys, ask, aKey, clock } = await open();
    const keyId = aKey();
    const { CiphertextBlob } = ask<{ CiphertextBlob: Uint8Array }>("Encrypt", {
      KeyId: keyId,
      Plaintext: Buffer.from("a"),
    });
    clock.advance(10 * 60_000);
    ask("Decrypt", { CiphertextBlob });
    clock.advance(hourMs - 1);
    expect(await keys.lastUseOf(keyId)).toMatchObject({ value: { operation: "Encrypt" } });
    clock.advance(1);
    const observation = await keys.lastUseOf(keyId);
    expect(observation).toEqual({
      kind: "observed",
      value: {
        kind: "used",
        operation: "Decrypt",
        atMs: startMs + 10 * 60_000,
        eventId: expect.any(String) as string,
      },
    });
  });

  test("of a key older than KMS's tracking is never, since the tracking began, until it is used", async () => {
    const { keys, ask, aKey, clock } = await open({ trackingStartMs: startMs + dayMs });
    const keyId = aKey();
    clock.advance(2 * dayMs);
    expect(await keys.lastUseOf(keyId)).toMatchObject({
      kind: "observed",
      value: { kind: "never", sinceMs: startMs + dayMs },
    });
    expect(await keys.lastUseOf(aKey())).toMatchObject({ value: { kind: "never" } });
    ask("Encrypt", { KeyId: keyId, Plaintext: Buffer.from("a") });
    clock.advance(hourMs);
    expect(await keys.lastUseOf(keyId)).toMatchObject({ value: { kind: "used" } });
  });

  test("is an error, not an observation, beyond the quota of five reads a second", async () => {
    const { keys, aKey } = await open({ quotas: "on", quotaClockMs: () => 0 });
    const keyId = aKey();
    for (let read = 0; read < 5; read += 1) await keys.lastUseOf(keyId);
    await expect(keys.lastUseOf(keyId)).rejects.toMatchObject({
      name: "RotationError",
      code: "THROTTLED",
    });
  });
});
