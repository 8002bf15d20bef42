import { describe, expect, test } from "vitest";
import type { Policy } from "../../lambda/workflow/model/types.ts";
import { aPolicy, dayMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";

const orders = "alias/orders";

async function moveAlias(world: World, AliasName: string, TargetKeyId: string): Promise<void> {
  await world.ask("UpdateAlias", { AliasName, TargetKeyId });
}

async function anotherKey(world: World): Promise<string> {
  const made = await world.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", {});
  return made.KeyMetadata.KeyId;
}

describe("a change by an operator", () => {
  test("an alias moved to an unknown key is a finding, stays there, and the rotation continues once it is back", async () => {
    const world = await aWorld();
    await world.passDays(1);
    const first = await world.targetOf(orders);
    const other = await anotherKey(world);
    await moveAlias(world, orders, other);
    await world.passDays(90);
    expect(await world.findings()).toContain("ALIAS_MOVED");
    expect(await world.targetOf(orders)).toBe(other);
    await moveAlias(world, orders, first);
    await world.passDays(2);
    expect(await world.findings()).toEqual([]);
    expect(await world.targetOf(orders)).not.toBe(first);
  });

  test("an alias that moved while no rotation is due is a finding within a day", async () => {
    const world = await aWorld();
    await world.passDays(1);
    await moveAlias(world, orders, await anotherKey(world));
    await world.passDays(1);
    expect(await world.findings()).toEqual(["ALIAS_MOVED"]);
  });

  test("an alias moved back to the old version keeps that version Enabled", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    await world.passDays(90);
    await moveAlias(world, orders, first);
    await world.passDays(60);
    expect(await world.stateOf(first)).toBe("Enabled");
    expect(await world.findings()).toContain("ALIAS_ON_OLD_VERSION");
  });

  test("an alias created on a version just disabled restores it, and its drain restarts", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    world.intercept = async (_port, method, input, proceed) => {
      const answer = await proceed();
      const call = input[0] as { kind?: string } | undefined;
      if (method === "change" && call?.kind === "DisableKey") {
        await world.ask("CreateAlias", { AliasName: "alias/late", TargetKeyId: first });
      }
      return answer;
    };
    await world.passDays(84 + 31);
    expect(world.history()).toContain("re-enabled");
    expect(await world.stateOf(first)).toBe("Enabled");
    expect(await world.findings()).toContain("ALIAS_ON_OLD_VERSION");
    world.intercept = undefined;
    await world.ask("DeleteAlias", { AliasName: "alias/late" });
    await world.passDays(29);
    expect(await world.stateOf(first)).toBe("Enabled");
    await world.passDays(3);
    expect(await world.stateOf(first)).toBe("Disabled");
  });

  test("a version disabled by hand in drain is a finding and stays as it is", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    await world.passDays(85);
    await world.ask("DisableKey", { KeyId: first });
    await world.passDays(40);
    expect(await world.findings()).toContain("DISABLED_BY_OTHERS");
    expect(await world.stateOf(first)).toBe("Disabled");
    await world.ask("EnableKey", { KeyId: first });
    await world.passDays(20);
    expect(await world.findings()).toEqual([]);
    expect(world.history()).toContain("completed");
  });

  test("a version disabled by hand in drain does not stop the next rotation", async () => {
    const world = await aWorld({ policy: { cryptoperiodMs: 60 * dayMs } });
    const first = await world.targetOf(orders);
    await world.passDays(55);
    const second = await world.targetOf(orders);
    await world.ask("DisableKey", { KeyId: first });
    await world.passDays(60);
    expect(await world.targetOf(orders)).not.toBe(second);
    expect(await world.stateOf(first)).toBe("Disabled");
    expect((await world.record()).findings).toMatchObject([
      { code: "DISABLED_BY_OTHERS", subject: first },
    ]);
  });

  test("a retained version disabled by hand stays a finding during the next rotation", async () => {
    const world = await aWorld({ policy: { retire: "retain", cryptoperiodMs: 60 * dayMs } });
    const first = await world.targetOf(orders);
    await world.passDays(53 + 32);
    const second = await world.targetOf(orders);
    await world.ask("DisableKey", { KeyId: first });
    await world.passDays(1);
    expect(await world.findings()).toEqual(["DISABLED_BY_OTHERS"]);
    await world.passDays(40);
    expect(await world.targetOf(orders)).not.toBe(second);
    expect(world.history().filter((event) => event.startsWith("findings-"))).toEqual([
      "findings-opened",
    ]);
  });

  test("a version enabled by hand in its soak is not deleted", async () => {
    const world = await aWorld({ policy: { retire: "delete" } });
    const first = await world.targetOf(orders);
    await world.passDays(84 + 32);
    expect(await world.stateOf(first)).toBe("Disabled");
    await world.ask("EnableKey", { KeyId: first });
    await world.passDays(60);
    expect(await world.stateOf(first)).toBe("Enabled");
    expect(await world.findings()).toContain("VERSION_CHANGED");
  });

  test("keyturn does not schedule again a deletion that an operator cancelled", async () => {
    const world = await aWorld({ policy: { retire: "delete", cryptoperiodMs: 400 * dayMs } });
    const first = await world.targetOf(orders);
    await world.passDays(393 + 30 + 14 + 1);
    expect(await world.stateOf(first)).toBe("PendingDeletion");
    await world.ask("CancelKeyDeletion", { KeyId: first });
    await world.passDays(60);
    expect(await world.stateOf(first)).toBe("Disabled");
    expect(await world.findings()).toContain("VERSION_CHANGED");
  });

  test("a new version disabled before activation does not get the alias", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    await world.passDays(83);
    await world.pass(10 * 60_000);
    const fresh = (await world.record()).versions.find(
      ({ state }) => state === "pending-activation",
    );
    if (fresh === undefined) throw new Error("the new version was expected to exist");
    await world.ask("DisableKey", { KeyId: fresh.keyId });
    await world.passDays(3);
    expect(await world.targetOf(orders)).toBe(first);
    expect(await world.findings()).toContain("NEW_VERSION_NOT_ENABLED");
  });
});

describe("the old version is still needed", () => {
  test("each use starts the quiet period again", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    const { CiphertextBlob } = await world.ask("Encrypt", {
      KeyId: orders,
      Plaintext: Buffer.from("a"),
    });
    await world.passDays(84);
    for (let week = 0; week < 8; week++) {
      await world.passDays(7);
      await world.ask("Decrypt", { CiphertextBlob });
    }
    expect(await world.stateOf(first)).toBe("Enabled");
    await world.passDays(16);
    expect(await world.stateOf(first)).toBe("Disabled");
  });

  test("a caller that still encrypts by key id blocks it until a later use shows otherwise", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    await world.passDays(90);
    const made = await world.ask("Encrypt", { KeyId: first, Plaintext: Buffer.from("a") });
    await world.passDays(60);
    expect(await world.findings()).toContain("ORIGINATED_AFTER_ACTIVATION");
    expect(await world.stateOf(first)).toBe("Enabled");
    await world.ask("Decrypt", { CiphertextBlob: made.CiphertextBlob });
    await world.passDays(16);
    expect(await world.stateOf(first)).toBe("Disabled");
  });

  test("a use that the evidence shows only after DisableKey restores the version", async () => {
    const world = await aWorld({ policy: { retire: "delete" } });
    const first = await world.targetOf(orders);
    const { CiphertextBlob } = await world.ask("Encrypt", {
      KeyId: orders,
      Plaintext: Buffer.from("a"),
    });
    await world.passDays(83);
    let used = false;
    world.intercept = async (_port, method, input, proceed) => {
      const call = input[0] as { kind?: string } | undefined;
      if (method === "change" && call?.kind === "DisableKey" && !used) {
        used = true;
        await world.ask("Decrypt", { CiphertextBlob });
      }
      return proceed();
    };
    await world.passDays(31 + 16);
    expect(used).toBe(true);
    expect(world.history()).toContain("re-enabled");
    expect(await world.stateOf(first)).toBe("Enabled");
  });

  test("a key whose use is unknown is not disabled, unless the policy accepts that", async () => {
    const unknown = () =>
      Promise.resolve({ kind: "observed", value: { kind: "unknown", why: "x" } });
    for (const [evidence, state] of [
      ["required", "Enabled"],
      ["advisory", "Disabled"],
    ] as const) {
      const drain = { atLeastMs: 30 * dayMs, quietForMs: 14 * dayMs, evidence };
      const world = await aWorld({ policy: { drain } });
      const first = await world.targetOf(orders);
      world.intercept = (_port, method, _input, proceed) =>
        method === "lastUseOf" ? unknown() : proceed();
      await world.passDays(84 + 40);
      expect(await world.stateOf(first)).toBe(state);
      const code = evidence === "required" ? "USAGE_UNKNOWN" : "USAGE_UNKNOWN_ACCEPTED";
      expect(await world.findings()).toContain(code);
    }
  });

  test("keyturn waits for a guardrail in the key policy", async () => {
    const root = "arn:aws:iam::000000000000:root";
    const allow = { Effect: "Allow", Principal: { AWS: root }, Action: "kms:*", Resource: "*" };
    const deny = {
      Effect: "Deny",
      Principal: "*",
      Action: ["kms:DisableKey", "kms:ScheduleKeyDeletion"],
      Resource: "*",
      Condition: { NumericLessThan: { "kms:TrailingDaysWithoutKeyUsage": "60" } },
    };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [allow, deny] });
    const world = await aWorld({ keys: { [orders]: { Policy } } });
    const first = await world.targetOf(orders);
    await world.passDays(83);
    await world.ask("Encrypt", { KeyId: first, Plaintext: Buffer.from("a") });
    await world.passDays(50);
    expect(await world.findings()).toContain("GUARDRAIL");
    expect(await world.stateOf(first)).toBe("Enabled");
    await world.passDays(14);
    expect(await world.stateOf(first)).toBe("Disabled");
    expect(world.errors).toEqual([]);
  });
});

describe("the policy changes while a rotation is open", () => {
  function become(world: World, changes: Partial<Policy>): void {
    const policy = { ...world.configuration.policies.quarterly, ...aPolicy(changes) };
    world.configuration = { ...world.configuration, policies: { quarterly: policy } };
  }

  test("a less destructive policy applies at once, at any point of revoke", async () => {
    for (const [days, state] of [
      [84 + 20, "Enabled"],
      [84 + 32, "Disabled"],
    ] as const) {
      const world = await aWorld({ policy: { retire: "delete" } });
      const first = await world.targetOf(orders);
      await world.passDays(days);
      become(world, { retire: "retain" });
      await world.tick();
      await world.passDays(60);
      expect(await world.stateOf(first)).toBe(state);
      expect(world.history()).toContain("configured");
    }
  });

  test("a more destructive policy applies from the next rotation", async () => {
    const world = await aWorld({ policy: { retire: "disable" } });
    const first = await world.targetOf(orders);
    await world.passDays(84 + 5);
    become(world, { retire: "delete" });
    await world.tick();
    await world.passDays(60);
    const second = (await world.record()).versions[1]?.keyId ?? "";
    await world.passDays(180);
    expect(await world.stateOf(first)).toBe("Disabled");
    expect(await world.stateOf(second)).toBe("deleted");
  });

  test("a managed key that is no longer configured is a finding, and stays as it is", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    await world.passDays(1);
    world.configuration = { ...world.configuration, managedKeys: [] };
    await world.passDays(200);
    expect(await world.findings()).toEqual(["NOT_CONFIGURED"]);
    expect(await world.targetOf(orders)).toBe(first);
    expect(world.kms.world.keys.size).toBe(1);
  });
});
