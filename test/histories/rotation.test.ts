import { describe, expect, test } from "vitest";
import { aPolicyDocument, dayMs } from "../fixtures.ts";
import { isFull } from "../sizes.ts";
import { aWorld } from "../world.ts";

const kinds: [string, object][] = [
  ["symmetric", {}],
  ["RSA for encryption", { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" }],
  ["RSA for signing", { KeySpec: "RSA_4096", KeyUsage: "SIGN_VERIFY" }],
  ["ECC for signing", { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" }],
  ["Edwards curve", { KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY" }],
  ["ML-DSA", { KeySpec: "ML_DSA_65", KeyUsage: "SIGN_VERIFY" }],
  ["HMAC", { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" }],
];

/** Callers fail silently where such a key rotates: a dependent must acknowledge the new version. */
const silentKinds: [string, object][] = [
  ["key agreement", { KeySpec: "ECC_NIST_P384", KeyUsage: "KEY_AGREEMENT" }],
  ["key encapsulation", { KeySpec: "ML_KEM_768", KeyUsage: "ENCAPSULATE_DECAPSULATE" }],
];

describe("the five steps", () => {
  test.each(kinds)(
    "%s: a new version like the old one is active, and the old one is disabled",
    async (_, spec) => {
      const world = await aWorld({ keys: { "alias/orders": { ...spec, Description: "orders" } } });
      const first = await world.targetOf("alias/orders");
      await world.passDays(84);
      const second = await world.targetOf("alias/orders");
      expect(second).not.toBe(first);
      expect(await world.ask("DescribeKey", { KeyId: second })).toMatchObject({
        KeyMetadata: { ...spec, Description: "orders", KeyState: "Enabled" },
      });
      expect(await world.stateOf(first)).toBe("Enabled");
      await world.passDays(31);
      expect(await world.stateOf(first)).toBe("Disabled");
      await world.passDays(15);
      expect(world.history()).toContain("completed");
      expect(await world.findings()).toEqual([]);
    },
  );

  test.each(silentKinds)("%s: no rotation opens before a dependent is named", async (_, spec) => {
    const world = await aWorld({ keys: { "alias/orders": spec } });
    await world.passDays(84);
    expect((await world.record()).rotations).toEqual([]);
    expect(await world.findings()).toContain("DEPENDENT_REQUIRED");
  });

  test.each(silentKinds)(
    "%s: the aliases move once the dependent acknowledged, and no version is ever deleted",
    async (_, spec) => {
      const world = await aWorld({
        keys: { "alias/orders": spec },
        dependents: ["billing"],
        policy: { retire: "delete" },
      });
      const first = await world.targetOf("alias/orders");
      await world.passDays(84);
      expect(await world.targetOf("alias/orders")).toBe(first);
      await world.asks("acknowledge", { version: 2, dependent: "billing" });
      await world.passDays(200);
      expect(await world.targetOf("alias/orders")).not.toBe(first);
      expect(await world.stateOf(first)).toBe("Disabled");
      expect(await world.findings()).toContain("NEVER_DELETED");
    },
  );

  test("RSA for encryption: the old version is disabled and kept, though the policy deletes", async () => {
    const spec = { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" };
    const policy = { retire: "delete", cryptoperiodMs: 200 * dayMs } as const;
    const world = await aWorld({ keys: { "alias/orders": spec }, policy });
    const first = await world.targetOf("alias/orders");
    await world.passDays(380);
    expect(await world.stateOf(first)).toBe("Disabled");
    expect(await world.findings()).toEqual(["NEVER_DELETED"]);
  });

  test("a signing key: its public key is archived while it is Enabled, before it is deleted", async () => {
    const spec = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
    const policy = { retire: "delete", cryptoperiodMs: 200 * dayMs } as const;
    const world = await aWorld({ keys: { "alias/orders": spec }, policy });
    const first = await world.targetOf("alias/orders");
    const { PublicKey } = await world.ask<{ PublicKey: Uint8Array }>("GetPublicKey", {
      KeyId: first,
    });
    await world.passDays(1);
    const [version] = (await world.record()).versions;
    expect(version?.publicKey).toBe(Buffer.from(PublicKey).toString("base64"));
    await world.passDays(300);
    expect(await world.stateOf(first)).toBe("deleted");
    expect(world.history()).toContain("public-key-archived");
  });

  test("a signing key whose public key may not be read is disabled and kept", async () => {
    const spec = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
    const policy = { retire: "delete", cryptoperiodMs: 200 * dayMs } as const;
    const world = await aWorld({ keys: { "alias/orders": spec }, policy });
    const first = await world.targetOf("alias/orders");
    world.intercept = (_port, method, _input, proceed) =>
      method === "publicKeyOf"
        ? Promise.resolve({ kind: "denied", message: "not authorized" })
        : proceed();
    await world.passDays(380);
    expect(await world.stateOf(first)).toBe("Disabled");
    expect(await world.findings()).toEqual(["NEVER_DELETED"]);
  });

  test("retain: the old version stays Enabled for ever", async () => {
    const world = await aWorld({ policy: { retire: "retain" } });
    const first = await world.targetOf("alias/orders");
    await world.passDays(200);
    expect(await world.stateOf(first)).toBe("Enabled");
    expect((await world.record()).versions[0]?.state).toBe("retained");
  });

  test("delete: the old version is deleted after soak and window, not before", async () => {
    const world = await aWorld({ policy: { retire: "delete", cryptoperiodMs: 200 * dayMs } });
    const first = await world.targetOf("alias/orders");
    await world.passDays(193 + 30 + 13);
    expect(await world.stateOf(first)).toBe("Disabled");
    await world.passDays(2);
    expect(await world.stateOf(first)).toBe("PendingDeletion");
    await world.passDays(31);
    expect(await world.stateOf(first)).toBe("deleted");
    expect((await world.record()).versions.map(({ number }) => number)).toEqual([2]);
    expect(await world.table.boundTo(first)).toBeUndefined();
  });

  test("several years: one version is active at any time, none is overdue, none stays unfinished", async () => {
    const world = await aWorld({ policy: { retire: "delete" } });
    await world.passDays(3 * 365);
    const { versions, rotations } = await world.record();
    expect(versions.filter(({ state }) => state === "active")).toHaveLength(1);
    expect(versions.at(-1)?.number).toBe(14);
    expect(versions.length).toBeLessThanOrEqual(3);
    expect(rotations.length).toBeLessThanOrEqual(2);
    const codes = new Set(world.reported.map(({ finding }) => finding.code));
    expect([...codes]).toEqual(["APPROVAL_REQUIRED"]);
    expect(world.errors).toEqual([]);
  });

  test("every alias of the set moves, and no other", async () => {
    const world = await aWorld({ aliases: { "alias/orders": ["alias/orders-eu"] } });
    const first = await world.targetOf("alias/orders");
    await world.ask("CreateAlias", { AliasName: "alias/audit", TargetKeyId: first });
    await world.passDays(84);
    expect(await world.targetOf("alias/orders-eu")).toBe(await world.targetOf("alias/orders"));
    expect(await world.targetOf("alias/audit")).toBe(first);
    await world.passDays(31);
    expect(await world.findings()).toContain("ALIAS_ON_OLD_VERSION");
    expect(await world.stateOf(first)).toBe("Enabled");
  });

  test("tags, policy and the customer's grants are copied; a service's grants are not", async () => {
    const Policy = aPolicyDocument("Ours");
    const Tags = [{ TagKey: "team", TagValue: "payments" }];
    const world = await aWorld({ keys: { "alias/orders": { Policy, Tags } } });
    const KeyId = await world.targetOf("alias/orders");
    const grantees = ["arn:aws:iam::000000000000:role/app", "rds.us-east-1.amazonaws.com"];
    for (const GranteePrincipal of grantees) {
      await world.ask("CreateGrant", {
        KeyId,
        GranteePrincipal,
        Operations: ["Decrypt", "Encrypt"],
      });
    }
    await world.passDays(84);
    const next = { KeyId: await world.targetOf("alias/orders") };
    expect(next.KeyId).not.toBe(KeyId);
    const tags = await world.ask<{ Tags: object[] }>("ListResourceTags", next);
    expect(tags.Tags).toContainEqual({ TagKey: "team", TagValue: "payments" });
    expect(tags.Tags).toContainEqual({ TagKey: "keyturn:version", TagValue: "2" });
    const { Grants } = await world.ask<{ Grants: { GranteePrincipal: string }[] }>(
      "ListGrants",
      next,
    );
    expect(Grants.map(({ GranteePrincipal }) => GranteePrincipal)).toEqual([grantees[0]]);
    const policy = await world.ask<{ Policy: string }>("GetKeyPolicy", next);
    expect(JSON.parse(policy.Policy)).toEqual(JSON.parse(Policy));
  });
});

describe("the cost of", () => {
  test("a rotation: four changing calls and one an alias, forty-one reads, six of last use, and four a day of each version", async () => {
    const world = await aWorld({ policy: { retire: "delete", cryptoperiodMs: 365 * dayMs } });
    await world.passDays(357);
    const isRead = (operation: string) => /^(Get|List|Describe)/.test(operation);
    const days: string[][] = [];
    for (let day = 0; day < 1 + 30 + 14 + 1; day += 1) {
      const before = world.calls.length;
      await world.passDays(1);
      days.push(world.calls.slice(before));
    }
    const calls = days.flat();
    const changing = calls.filter((operation) => !isRead(operation));
    expect(changing).toEqual([
      "CreateKey",
      "UpdateAlias",
      "TagResource",
      "DisableKey",
      "ScheduleKeyDeletion",
    ]);
    const daily = days.filter((ofDay) => ofDay.every(isRead));
    expect(daily.length).toBe(42);
    // The search by tags is no request to KMS; with the weekly audit's read of all aliases.
    const ofKms = (ofDay: string[]): number =>
      ofDay.filter((operation) => operation !== "GetResources").length;
    const total = daily.reduce((sum, ofDay) => sum + ofKms(ofDay), 0);
    expect(total / daily.length).toBeLessThanOrEqual(2 * 4);
    const steps = days.filter((ofDay) => !ofDay.every(isRead));
    // An inspection of both versions, with the grants and tags of one, and the wait of the step.
    const dailyToo = (2 * 4 + 2) * steps.length;
    expect(steps.flat().filter(isRead).length).toBeLessThanOrEqual(41 + dailyToo);
    const reads = calls.filter(isRead);
    expect(reads.filter((operation) => operation === "GetKeyLastUsage").length).toBeLessThan(7);
    expect((await world.record()).versions[0]?.state).toBe("pending-deletion");
  });

  test.each(isFull ? [10, 10_000] : [10])(
    "a run with nothing due among %i keys: one query of the table, no call of KMS",
    { timeout: 600_000 },
    async (count) => {
      const names = Array.from({ length: count }, (_, index) => `alias/key-${index}`);
      const world = await aWorld({ keys: Object.fromEntries(names.map((name) => [name, {}])) });
      await world.passDays(0.5);
      const asked: string[] = [];
      world.intercept = (port, method, _input, proceed) => {
        asked.push(`${port}.${method}`);
        return proceed();
      };
      const result = await world.tick();
      expect(asked).toEqual(["table.due"]);
      expect(result.outcome).toBe("nothing-due");
    },
  );
});
