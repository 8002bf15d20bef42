import { describe, expect, test } from "vitest";
import { RotationError } from "../../lambda/errors.ts";
import type { Policy } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";

const orders = "alias/orders";
const opens = 83;
const zeros = "0".repeat(64);

/** A world with a ciphertext under version 1. */
async function inUse(policy: Partial<Policy>) {
  const world = await aWorld({ policy });
  const first = await world.targetOf(orders);
  const Plaintext = Buffer.from("a");
  const { CiphertextBlob } = await world.ask("Encrypt", { KeyId: orders, Plaintext });
  const read = () => world.ask("Decrypt", { CiphertextBlob });
  const writeById = () => world.ask("Encrypt", { KeyId: first, Plaintext });
  return { world, read, writeById, firstState: () => world.stateOf(first) };
}

/** The evidence hash in a rejection, or in a finding that requires approval. */
async function reportedEvidence(world: World, code: string): Promise<string> {
  const reported = (await world.record()).findings.find((one) => one.code === code);
  return /\b[0-9a-f]{64}\b/.exec(reported?.observed ?? "")?.[0] ?? "none";
}

async function approvesObservedEvidence(world: World): Promise<void> {
  await world.asks("approve", { version: 1, evidence: zeros });
  const evidence = await reportedEvidence(world, "REQUEST_REJECTED");
  await world.asks("approve", { version: 1, evidence });
  expect(world.history()).toContain("approved");
}

describe("compromised", () => {
  const slow = {
    propagationMs: dayMs,
    drain: { atLeastMs: 30 * dayMs, quietForMs: 0, evidence: "required" as const },
  };

  test.each([20, opens])(
    "on day %i keeps five minutes of propagation, and two hours of drain",
    async (day) => {
      const world = await aWorld({ policy: slow });
      const first = await world.targetOf(orders);
      await world.passDays(day);
      await world.asks("compromised", { version: 1 });
      expect(await world.targetOf(orders)).toBe(first);
      await world.pass(15 * minuteMs);
      expect(await world.targetOf(orders)).not.toBe(first);
      await world.pass(100 * minuteMs);
      expect(await world.stateOf(first)).toBe("Enabled");
      await world.pass(30 * minuteMs);
      expect(await world.stateOf(first)).toBe("Disabled");
    },
  );

  test("of a version about to be replaced shortens the propagation that has begun", async () => {
    const world = await aWorld({ policy: slow });
    const first = await world.targetOf(orders);
    await world.passDays(opens);
    expect(await world.targetOf(orders)).toBe(first);
    await world.asks("compromised", { version: 1 });
    await world.pass(15 * minuteMs);
    expect(await world.targetOf(orders)).not.toBe(first);
  });
});

describe("approve", () => {
  test("is void after another use, before the version is disabled", async () => {
    const { world, read, firstState } = await inUse({ approval: "revoke" });
    await world.passDays(opens + 20);
    await approvesObservedEvidence(world);
    await read();
    await world.passDays(30);
    expect(await firstState()).toBe("Enabled");
    expect(await world.findings()).toContain("APPROVAL_REQUIRED");
  });

  test("is void after keyturn restored the version that it allowed to disable", async () => {
    const { world, read, firstState } = await inUse({ approval: "revoke" });
    await world.passDays(opens + 20);
    await approvesObservedEvidence(world);
    await world.passDays(15);
    expect(await firstState()).toBe("Disabled");
    await read().catch(() => undefined);
    await world.deliver(world.attempts.at(-1));
    await world.pass(hourMs);
    await world.asks("resume");
    await world.passDays(60);
    expect(await firstState()).toBe("Enabled");
    expect(await world.findings()).toContain("APPROVAL_REQUIRED");
  });

  test("of an originating use does not shorten the quiet period", async () => {
    const { world, writeById, firstState } = await inUse({});
    await world.passDays(opens + 28);
    await writeById();
    await world.passDays(3);
    const evidence = await reportedEvidence(world, "ORIGINATED_AFTER_ACTIVATION");
    await world.asks("approve", { version: 1, evidence });
    await world.passDays(9);
    expect(await firstState()).toBe("Enabled");
    await world.passDays(4);
    expect(await firstState()).toBe("Disabled");
  });

  test("of an originating use does not cover the next one", async () => {
    const { world, writeById, firstState } = await inUse({});
    await world.passDays(opens + 28);
    await writeById();
    await world.passDays(3);
    const evidence = await reportedEvidence(world, "ORIGINATED_AFTER_ACTIVATION");
    await world.asks("approve", { version: 1, evidence });
    await writeById();
    await world.passDays(40);
    expect(await firstState()).toBe("Enabled");
    expect(await world.findings()).toContain("ORIGINATED_AFTER_ACTIVATION");
  });

  // The read that the approval needs fails, and the pass ends before the pause.
  test("without its read does not delay a later pause", async () => {
    const { world } = await inUse({ approval: "revoke" });
    await world.passDays(opens + 40);
    const down = new RotationError("THROTTLED", "GetKeyLastUsage", undefined);
    world.intercept = (_port, method, _input, proceed) =>
      method === "lastUseOf" ? Promise.reject(down) : proceed();
    world.request("approve", { version: 1, evidence: zeros });
    world.request("pause");
    await world.passDays(2);
    expect((await world.record()).holds.map(({ kind }) => kind)).toEqual(["pause"]);
  });
});

describe("overriding the evidence", () => {
  /** Version 1 is compromised, and disabled although it is in use. */
  async function overridden() {
    const made = await inUse({ retire: "delete" });
    const { world, read, firstState } = made;
    await world.passDays(20);
    await world.asks("compromised", { version: 1 });
    await world.pass(30 * minuteMs);
    await world.asks("approve", { version: 1, override: true, confirm: orders });
    for (let minutes = 0; minutes < 90; minutes += 10) {
      await Promise.all([read(), world.pass(10 * minuteMs)]);
    }
    await world.pass(hourMs);
    expect(await firstState()).toBe("Disabled");
    return made;
  }

  test("is rejected for a version that was not declared compromised", async () => {
    const { world, read, firstState } = await inUse({});
    await world.passDays(opens + 5);
    await world.asks("approve", { version: 1, override: true, confirm: orders });
    expect(await world.findings()).toEqual(["REQUEST_REJECTED"]);
    await world.passDays(20);
    await read();
    await world.passDays(10);
    expect(await firstState()).toBe("Enabled");
  });

  test("holds despite a use in the last hour, which the evidence shows late", async () => {
    const { world, firstState } = await overridden();
    await world.pass(6 * hourMs);
    expect(await firstState()).toBe("Disabled");
    expect(await world.findings()).toEqual(["EVIDENCE_OVERRIDDEN"]);
  });

  test("never deletes, whatever the policy says", async () => {
    const { world, firstState } = await overridden();
    await world.passDays(200);
    expect(await firstState()).toBe("Disabled");
    expect(world.errors).toEqual([]);
  });

  test("holds despite a use attempt in the soak", async () => {
    const { world, read, firstState } = await overridden();
    await read().catch(() => undefined);
    await world.deliver(world.attempts.at(-1));
    await world.passDays(1);
    expect(await firstState()).toBe("Disabled");
  });

  test("holds despite a use attempt after the soak", async () => {
    const { world, read, firstState } = await overridden();
    await world.passDays(20);
    await read().catch(() => undefined);
    await world.deliver(world.attempts.at(-1));
    await world.passDays(1);
    expect(await firstState()).toBe("Disabled");
  });
});
