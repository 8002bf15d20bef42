import { describe, expect, test } from "vitest";
import type { Call } from "../../lambda/workflow/model/types.ts";
import { noAnswer, onCall } from "../faults.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, Died, type WorldOptions } from "../world.ts";

const orders = "alias/orders";
const drained = 84 + 30;

async function withCiphertext(options: WorldOptions) {
  const world = await aWorld(options);
  const first = await world.targetOf(orders);
  const made = await world.ask("Encrypt", { KeyId: orders, Plaintext: Buffer.from("a") });
  const decrypt = () => world.ask("Decrypt", { CiphertextBlob: made.CiphertextBlob });
  return { world, first, decrypt };
}

describe("a use that the evidence shows late", () => {
  test("prevents the deletion, however short the soak", async () => {
    const { world, first, decrypt } = await withCiphertext({
      policy: { retire: "delete", soakMs: 0 },
    });
    onCall(world, "DisableKey", (proceed) => {
      world.intercept = undefined;
      return decrypt().then(proceed);
    });
    await world.passDays(drained + 5);
    expect(await world.stateOf(first)).toBe("Enabled");
    expect(world.history()).toContain("re-enabled");
  });

  test("restores a key that a late DisableKey of an earlier run disabled", async () => {
    const { world, first, decrypt } = await withCiphertext({});
    onCall(world, "DisableKey", (proceed) => {
      world.intercept = undefined;
      world.underWay.push({ atMs: world.clock.nowMs() + 5 * minuteMs, land: proceed });
      return decrypt().then(() => noAnswer);
    });
    await world.passDays(drained);
    await world.pass(hourMs + 20 * minuteMs);
    await world.pass(2 * hourMs);
    expect(await world.stateOf(first)).toBe("Enabled");
    expect(await world.findings()).toEqual([]);
  });

  // Seed 1795466884 of `everything`: hours in which the key was Disabled had counted as quiet.
  test("counts as a use although no run read the evidence for longer than the quiet period", async () => {
    const quietForMs = 2 * hourMs;
    const { world, first, decrypt } = await withCiphertext({
      policy: { drain: { atLeastMs: 30 * dayMs, quietForMs, evidence: "required" } },
    });
    let untilMs = Infinity;
    onCall(world, "DisableKey", (proceed) => {
      untilMs = world.clock.nowMs() + 2 * quietForMs;
      world.intercept = (_port, _method, _input, go) =>
        world.clock.nowMs() < untilMs ? Promise.reject(new Died()) : go();
      return decrypt().then(proceed);
    });
    await world.passDays(drained + 1);
    expect(world.clock.nowMs()).toBeGreaterThan(untilMs);
    expect(world.history()).toContain("restore-started");
    expect(await world.stateOf(first)).toBe("Enabled");
  });

  test("that was an Encrypt stays a finding after keyturn restores the key", async () => {
    const { world, first } = await withCiphertext({});
    onCall(world, "DisableKey", (proceed) => {
      world.intercept = undefined;
      return world.ask("Encrypt", { KeyId: first, Plaintext: Buffer.from("b") }).then(proceed);
    });
    await world.passDays(drained + 14 + 40);
    expect(world.history()).toContain("re-enabled");
    expect(await world.findings()).toContain("ORIGINATED_AFTER_ACTIVATION");
    expect(await world.stateOf(first)).toBe("Enabled");
  });
});

describe("restoring a key", () => {
  test.each([
    ["applied, and its answer lost", true],
    ["lost before it was applied", false],
  ])("with EnableKey %s: it is Enabled, and drains again", async (_, applied) => {
    const { world, first, decrypt } = await withCiphertext({});
    await world.passDays(drained - 1);
    world.intercept = async (_port, method, input, proceed) => {
      const call = input[0] as Call | undefined;
      if (method === "change" && call?.kind === "DisableKey") await decrypt();
      if (method !== "change" || call?.kind !== "EnableKey") return proceed();
      world.intercept = undefined;
      if (applied) await proceed();
      return noAnswer;
    };
    await world.passDays(16);
    expect(await world.stateOf(first)).toBe("Enabled");
    expect(await world.findings()).toEqual([]);
    await world.passDays(50);
    expect(await world.stateOf(first)).toBe("Disabled");
  });

  test("makes one EnableKey call although reads lag", async () => {
    const { world, decrypt } = await withCiphertext({});
    let enabledAtMs = Infinity;
    world.intercept = async (_port, method, input, proceed) => {
      const call = input[0] as Call | undefined;
      if (method === "change" && call?.kind === "DisableKey") await decrypt();
      const answer = (await proceed()) as { value?: { state: string; keyId: string } };
      if (method === "change" && call?.kind === "EnableKey") enabledAtMs = world.clock.nowMs();
      const lagging = world.clock.nowMs() < enabledAtMs + 2 * minuteMs && enabledAtMs < Infinity;
      if (method === "describe" && lagging && answer.value !== undefined) {
        return { kind: "observed", value: { ...answer.value, state: "Disabled" } };
      }
      return answer;
    };
    await world.passDays(drained + 15);
    expect(world.calls.filter((operation) => operation === "EnableKey")).toHaveLength(1);
    expect(world.errors).toEqual([]);
  });

  test.each([
    ["in its soak", drained + 2],
    ["after its rotation closed", drained + 40],
  ])("happens when an operator moves the alias to a disabled version %s", async (_, days) => {
    const world = await aWorld({ policy: { cryptoperiodMs: 365 * dayMs } });
    const first = await world.targetOf(orders);
    await world.passDays(365 - 7 - 84 + days);
    expect(await world.stateOf(first)).toBe("Disabled");
    await world.ask("UpdateAlias", { AliasName: orders, TargetKeyId: first });
    await world.passDays(8);
    expect(await world.stateOf(first)).toBe("Enabled");
    expect(await world.findings()).toContain("ALIAS_MOVED");
  });
});

describe("a DisableKey by an external actor", () => {
  test("after keyturn's own call lapsed does not count as keyturn's", async () => {
    const { world, first, decrypt } = await withCiphertext({ policy: { retire: "delete" } });
    let used: Promise<unknown> | undefined;
    onCall(world, "DisableKey", () => (used ??= decrypt()).then(() => noAnswer));
    await world.passDays(drained);
    await world.pass(3 * hourMs);
    world.intercept = undefined;
    expect(world.history()).toContain("lapsed");
    await world.ask("DisableKey", { KeyId: first });
    await world.passDays(30);
    expect(await world.stateOf(first)).toBe("Disabled");
    expect(await world.findings()).toContain("DISABLED_BY_OTHERS");
  });

  test("is no approval while the evidence forbids it", async () => {
    const world = await aWorld({ policy: { approval: "revoke" } });
    const first = await world.targetOf(orders);
    await world.passDays(drained + 1);
    await world.ask("Encrypt", { KeyId: first, Plaintext: Buffer.from("b") });
    await world.pass(2 * hourMs);
    await world.ask("DisableKey", { KeyId: first });
    await world.passDays(20);
    expect(await world.findings()).toContain("DISABLED_BY_OTHERS");
    expect(await world.stateOf(first)).toBe("Disabled");
  });
});
