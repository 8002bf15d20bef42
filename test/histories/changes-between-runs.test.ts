import { describe, expect, test } from "vitest";
import { noAnswer, onCall } from "../faults.ts";
import { aPolicyDocument, dayMs, minuteMs } from "../fixtures.ts";
import { aWorld } from "../world.ts";

const orders = "alias/orders";

describe("a change between two runs", () => {
  test("of the key policy, after the intent: the new version gets the changed policy", async () => {
    const world = await aWorld();
    const KeyId = await world.targetOf(orders);
    let refused = 0;
    onCall(world, "CreateKey", async () => {
      refused += 1;
      await world.ask("PutKeyPolicy", {
        KeyId,
        PolicyName: "default",
        Policy: aPolicyDocument("New"),
      });
      if (refused > 1) world.intercept = undefined;
      return { kind: "refused", refusal: "Throttled", message: "Rate exceeded" };
    });
    await world.passDays(85);
    expect(world.history()).toContain("abandoned");
    expect(world.history().filter((event) => event === "generated")).toHaveLength(1);
    const next = { KeyId: await world.targetOf(orders) };
    expect(next.KeyId).not.toBe(KeyId);
    expect((await world.ask<{ Policy: string }>("GetKeyPolicy", next)).Policy).toContain("New");
  });

  test("that deletes the new version before activation: keyturn reports it, and moves no alias", async () => {
    const world = await aWorld({ policy: { propagationMs: 2 * dayMs } });
    const first = await world.targetOf(orders);
    await world.passDays(83.5);
    const fresh = (await world.record()).versions[1]?.keyId ?? "";
    world.kms.world.keys.delete(fresh);
    await world.passDays(3);
    expect(await world.findings()).toContain("VERSION_DELETED");
    expect(await world.targetOf(orders)).toBe(first);
  });

  test("by weekly uses of the old version: keyturn reports the prolonged drain", async () => {
    const world = await aWorld();
    const made = await world.ask("Encrypt", { KeyId: orders, Plaintext: Buffer.from("a") });
    await world.passDays(84);
    for (let week = 0; week < 16; week += 1) {
      await world.passDays(7);
      await world.ask("Decrypt", { CiphertextBlob: made.CiphertextBlob });
    }
    await world.passDays(10);
    expect(await world.findings()).toContain("DRAIN_PROLONGED");
    await world.passDays(10);
    expect(await world.findings()).not.toContain("DRAIN_PROLONGED");
  });

  test("of the evidence before DisableKey: keyturn records it first", async () => {
    const policy = {
      drain: { atLeastMs: 30 * dayMs, quietForMs: 14 * dayMs, evidence: "advisory" },
    } as const;
    const world = await aWorld({ policy });
    let reads = 0;
    world.intercept = (_port, method, _input, proceed) => {
      if (method !== "lastUseOf") return proceed();
      reads += 1;
      const why = reads === 1 ? "not yet" : "not ever";
      return Promise.resolve({ kind: "observed", value: { kind: "unknown", why } });
    };
    await world.passDays(84 + 31);
    const history = world.history();
    expect(history.indexOf("evidence-read")).toBeGreaterThan(history.indexOf("drained"));
    expect(history.indexOf("evidence-read")).toBeLessThan(history.indexOf("disabled"));
  });

  test.each([
    ["never lands", undefined],
    ["lands late", 10 * minuteMs],
  ])(
    "to retain, while a DisableKey is unanswered, which %s: the version stays Enabled",
    async (_, landsAfterMs) => {
      const world = await aWorld();
      const first = await world.targetOf(orders);
      await world.passDays(83 + 29);
      onCall(world, "DisableKey", (proceed) => {
        world.intercept = undefined;
        const { quarterly } = world.configuration.policies;
        if (quarterly === undefined) throw new Error("a policy was expected");
        const policies = { quarterly: { ...quarterly, retire: "retain" as const } };
        world.configuration = { ...world.configuration, policies };
        if (landsAfterMs !== undefined) {
          world.underWay.push({ atMs: world.clock.nowMs() + landsAfterMs, land: proceed });
        }
        return Promise.resolve(noAnswer);
      });
      await world.passDays(2);
      expect(world.history()).toContain("not-revoked");
      expect(await world.stateOf(first)).toBe("Enabled");
      await world.passDays(40);
      expect(world.history()).toContain("completed");
      expect(await world.stateOf(first)).toBe("Enabled");
      expect(await world.findings()).toEqual([]);
    },
  );
});
