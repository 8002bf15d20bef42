import { describe, expect, test } from "vitest";
import { dayMs } from "../fixtures.ts";
import { noAnswer, onCall } from "../faults.ts";
import { aWorld, type World } from "../world.ts";

const orders = "alias/orders";
const policy = { originate: "alias-only" as const, retire: "disable" as const };

async function encrypt(world: World, KeyId: string): Promise<unknown> {
  return (await world.ask("Encrypt", { KeyId, Plaintext: Buffer.from("a") })).CiphertextBlob;
}

async function statementsOf(world: World, KeyId: string): Promise<string[]> {
  const { Policy } = await world.ask<{ Policy: string }>("GetKeyPolicy", { KeyId });
  const { Statement } = JSON.parse(Policy) as { Statement: { Sid?: string }[] };
  return Statement.map(({ Sid }) => Sid ?? "");
}

describe("originate: alias-only", () => {
  test("only observes the first version, and reports that", async () => {
    const world = await aWorld({ policy });
    await world.passDays(1);
    expect(await world.findings()).toEqual(["ALIAS_ONLY_NOT_ENFORCED"]);
    await encrypt(world, await world.targetOf(orders));
  });

  test("lets versions that keyturn creates originate only through the alias, and process by any name", async () => {
    const world = await aWorld({ policy });
    await world.passDays(90);
    const second = await world.targetOf(orders);
    const blob = await encrypt(world, orders);
    await expect(encrypt(world, second)).rejects.toThrow(/explicit deny/i);
    await world.ask("Decrypt", { KeyId: second, CiphertextBlob: blob });
    await world.passDays(60);
    expect(await world.findings()).toEqual([]);
  });

  test("stops a version without the alias from originating, until a rollback moves the alias back", async () => {
    const world = await aWorld({ policy });
    await world.passDays(90);
    const second = await world.targetOf(orders);
    const blob = await encrypt(world, orders);
    await world.passDays(85);
    expect(await world.targetOf(orders)).not.toBe(second);
    await expect(encrypt(world, second)).rejects.toThrow(/explicit deny/i);
    await world.ask("Decrypt", { CiphertextBlob: blob });
    await world.asks("rollback", { version: 3 });
    await world.passDays(1);
    expect(await world.targetOf(orders)).toBe(second);
    await encrypt(world, orders);
  });

  test("adds one statement to a key policy, and none once the policy says observe", async () => {
    const world = await aWorld({ policy, aliases: { [orders]: ["alias/orders-eu"] } });
    await world.passDays(180);
    const third = await world.targetOf(orders);
    const sids = await statementsOf(world, third);
    expect(sids.filter((sid) => sid === "KeyturnAliasOnly")).toHaveLength(1);
    await encrypt(world, "alias/orders-eu");
    const observe = { ...world.configuration.policies.quarterly, originate: "observe" as const };
    world.configuration = { ...world.configuration, policies: { quarterly: observe as never } };
    await world.tick();
    await world.passDays(90);
    const fourth = await world.targetOf(orders);
    expect(fourth).not.toBe(third);
    expect(await statementsOf(world, fourth)).not.toContain("KeyturnAliasOnly");
  });

  test("adopts the key of a CreateKey with a lost answer, with its statement", async () => {
    const world = await aWorld({ policy });
    onCall(world, "CreateKey", (proceed) => {
      world.intercept = undefined;
      return proceed().then(() => noAnswer);
    });
    await world.passDays(90);
    expect(world.history()).toContain("adopted");
    expect(world.kms.world.keys.size).toBe(2);
    await expect(encrypt(world, await world.targetOf(orders))).rejects.toThrow(/explicit deny/i);
  });

  test("is unfit for a key that an AWS service uses: keyturn reports it, and does not rotate", async () => {
    const world = await aWorld({ policy });
    await world.ask("CreateGrant", {
      KeyId: await world.targetOf(orders),
      GranteePrincipal: "dynamodb.us-east-1.amazonaws.com",
      Operations: ["Decrypt"],
    });
    await world.passDays(100);
    expect(await world.findings()).toEqual(["ALIAS_ONLY_UNFIT"]);
    expect(world.kms.world.keys.size).toBe(1);
  });

  test("does not copy a statement of that name that is not keyturn's", async () => {
    const root = "arn:aws:iam::000000000000:root";
    const Statement = [
      { Effect: "Allow", Principal: { AWS: root }, Action: "kms:*", Resource: "*" },
      { Sid: "KeyturnAliasOnly", Effect: "Allow", Principal: "*", Action: "kms:*", Resource: "*" },
    ];
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
    const world = await aWorld({
      policy: { cryptoperiodMs: 30 * dayMs },
      keys: { [orders]: { Policy } },
    });
    await world.passDays(60);
    expect(await world.findings()).toEqual(["POLICY_NOT_CARRIED"]);
    expect(world.kms.world.keys.size).toBe(1);
  });
});
