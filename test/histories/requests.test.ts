import { describe, expect, test } from "vitest";
import { RotationError } from "../../lambda/errors.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, Died, type World } from "../world.ts";

const orders = "alias/orders";
const opens = 83;

async function activeNumber(world: World): Promise<number | undefined> {
  const target = await world.targetOf(orders);
  return (await world.record()).versions.find(({ keyId }) => keyId === target)?.number;
}

async function stateOfFirst(world: World): Promise<string> {
  return world.stateOf([...world.kms.world.keys.keys()][0] ?? "");
}

async function reportedEvidence(world: World, code: string): Promise<string> {
  const { findings } = await world.record();
  const { next } = findings.find((one) => one.code === code) ?? {};
  return /--evidence ([0-9a-f]{64})/.exec(next ?? "")?.[1] ?? "none";
}

describe("pause", () => {
  test("holds every next call, and resume continues from there", async () => {
    const world = await aWorld();
    await world.passDays(opens);
    await world.asks("pause", { reason: "end of quarter" });
    await world.passDays(60);
    expect(await activeNumber(world)).toBe(1);
    expect(await world.findings()).toEqual(["OVERDUE", "PAUSED"]);
    await world.asks("resume");
    await world.passDays(1);
    expect(await activeNumber(world)).toBe(2);
  });

  test("still restores a version that an alias was moved to", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    await world.passDays(opens + 35);
    expect(await world.stateOf(first)).toBe("Disabled");
    await world.asks("pause");
    await world.ask("CreateAlias", { AliasName: "alias/late", TargetKeyId: first });
    await world.passDays(8);
    expect(await world.stateOf(first)).toBe("Enabled");
  });
});

describe("compromised", () => {
  test("activates the next version within minutes, and disables the old one after the quiet period", async () => {
    const world = await aWorld();
    await world.passDays(20);
    await world.ask("Encrypt", { KeyId: orders, Plaintext: Buffer.from("a") });
    await world.asks("compromised", { version: 1 });
    await world.pass(15 * minuteMs);
    expect(await activeNumber(world)).toBe(2);
    await world.passDays(13);
    expect(await stateOfFirst(world)).toBe("Enabled");
    await world.passDays(2);
    expect(await stateOfFirst(world)).toBe("Disabled");
  });

  test("shortens a drain that has begun", async () => {
    const world = await aWorld();
    await world.passDays(opens + 3);
    await world.asks("compromised", { version: 1 });
    await world.passDays(1);
    expect(await stateOfFirst(world)).toBe("Disabled");
  });

  test("keeps the evidence: a version in use stays, unless an operator overrides it by name", async () => {
    const world = await aWorld({ policy: { retire: "delete" } });
    const made = await world.ask("Encrypt", { KeyId: orders, Plaintext: Buffer.from("a") });
    const use = () => world.ask("Decrypt", { CiphertextBlob: made.CiphertextBlob });
    await world.passDays(20);
    await world.asks("approve", { version: 1, override: true, confirm: orders });
    await world.asks("compromised", { version: 1 });
    for (let day = 0; day < 20; day++) await Promise.all([use(), world.passDays(1)]);
    expect(await stateOfFirst(world)).toBe("Enabled");
    await world.asks("approve", { version: 1, override: true, confirm: "alias/other" });
    await world.pass(hourMs);
    expect(await stateOfFirst(world)).toBe("Enabled");
    await world.asks("approve", { version: 1, override: true, confirm: orders });
    await world.pass(8 * hourMs);
    expect(await stateOfFirst(world)).toBe("Disabled");
    expect(await world.findings()).toContain("EVIDENCE_OVERRIDDEN");
    await use().catch(() => undefined);
    await world.deliver(world.attempts.at(-1));
    await world.passDays(100);
    await use().catch(() => undefined);
    await world.deliver(world.attempts.at(-1));
    expect(await stateOfFirst(world)).toBe("Disabled");
  });
});

describe("approve", () => {
  test("of the reported evidence allows DisableKey; of other evidence does not", async () => {
    const world = await aWorld({ policy: { approval: "revoke" } });
    await world.passDays(opens + 40);
    expect(await world.findings()).toEqual(["APPROVAL_REQUIRED"]);
    await world.asks("approve", { version: 1, evidence: "0".repeat(64) });
    await world.passDays(1);
    expect(await stateOfFirst(world)).toBe("Enabled");
    const evidence = await reportedEvidence(world, "APPROVAL_REQUIRED");
    await world.asks("approve", { version: 1, evidence });
    await world.passDays(1);
    expect(await stateOfFirst(world)).toBe("Disabled");
  });

  test("of an originating use ends the drain after the quiet period", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    await world.passDays(opens + 10);
    await world.ask("Encrypt", { KeyId: first, Plaintext: Buffer.from("a") });
    await world.passDays(25);
    const evidence = await reportedEvidence(world, "ORIGINATED_AFTER_ACTIVATION");
    await world.asks("approve", { version: 1, evidence });
    await world.passDays(2);
    expect(await stateOfFirst(world)).toBe("Disabled");
  });
});

describe("acknowledge", () => {
  const policy = { acknowledgeWithinMs: 3 * dayMs };
  const dependents = ["billing", "search"];

  test("by every dependent precedes the move of the alias, and late ones end the halt", async () => {
    const world = await aWorld({ policy, dependents });
    await world.passDays(opens + 1);
    expect(await world.findings()).toEqual(["ACKNOWLEDGEMENT_AWAITED"]);
    await world.asks("acknowledge", { version: 2, dependent: "billing" });
    await world.asks("acknowledge", { version: 2, dependent: "billing" });
    await world.asks("acknowledge", { version: 2, dependent: "stranger" });
    await world.asks("acknowledge", { version: 1, dependent: "search" });
    await world.passDays(5);
    expect(await activeNumber(world)).toBe(1);
    expect(await world.findings()).toContain("DEPENDENT_NOT_READY");
    await world.asks("acknowledge", { version: 2, dependent: "search" });
    await world.pass(2 * hourMs);
    expect(await activeNumber(world)).toBe(2);
  });
});

describe("un-enrol", () => {
  test.each([20, opens + 10, opens + 35])("on day %i changes no key from then on", async (day) => {
    const world = await aWorld({ policy: { retire: "delete" } });
    await world.passDays(day);
    const states = [...world.kms.world.keys.values()].map(({ state }) => state);
    await world.asks("un-enrol", { confirm: orders });
    await world.passDays(1);
    const calls = world.calls.length;
    await world.passDays(300);
    expect([...world.kms.world.keys.values()].map(({ state }) => state)).toEqual(states);
    expect(world.calls.slice(calls).filter((name) => !name.startsWith("List"))).toEqual([]);
    expect(await world.findings()).toEqual(["UNENROLLED"]);
  });

  test("finishes although the answer to an UntagResource was lost", async () => {
    const world = await aWorld();
    await world.passDays(opens + 35);
    world.intercept = async (_port, method, input, proceed) => {
      const call = input[0] as { kind?: string } | undefined;
      if (method !== "change" || call?.kind !== "UntagResource") return proceed();
      world.intercept = undefined;
      await proceed();
      throw new Died();
    };
    await world.asks("rollback", { version: 2 });
    await world.asks("un-enrol", { confirm: orders });
    await world.passDays(2);
    expect(await world.findings()).toEqual(["UNENROLLED"]);
    expect((await world.record()).versions).toEqual([]);
  });

  test("ends with resume: the key is enrolled again and rotates, also after reconcile", async () => {
    const world = await aWorld();
    await world.passDays(20);
    await world.asks("reconcile");
    await world.asks("reconcile", { proposal: (await world.record()).proposal?.revision });
    await world.asks("un-enrol", { confirm: orders });
    await world.passDays(1);
    await world.asks("resume");
    await world.passDays(90);
    expect(await activeNumber(world)).toBe(2);
    expect(await world.findings()).toEqual([]);
  });
});

describe("a request", () => {
  test("that arrives again after it was fulfilled and deleted is not fulfilled twice", async () => {
    const world = await aWorld();
    await world.passDays(10);
    const id = world.request("rotate");
    await world.passDays(0.5);
    expect(await activeNumber(world)).toBe(2);
    world.table.ask(orders, id, { kind: "rotate", by: "ada" });
    await world.passDays(2);
    expect(await activeNumber(world)).toBe(2);
    expect(await world.table.requests(orders)).toEqual([]);
  });

  test("follows those with a lower id, in one run", async () => {
    const world = await aWorld();
    await world.passDays(10);
    world.table.ask(orders, "request-b", { kind: "resume", by: "ada" });
    world.table.ask(orders, "request-a", { kind: "pause", by: "ada" });
    await world.tick();
    expect((await world.record()).holds).toEqual([]);
    expect(world.history().slice(-2)).toEqual(["paused", "resumed"]);
  });

  test("is fulfilled once whatever fails before the deletion of its item", async () => {
    for (const method of ["write", "archive", "publish", "deleteRequests", "releaseRunClaim"]) {
      for (const death of [new Died(), new RotationError("TABLE_FAILED", method, undefined)]) {
        const world = await aWorld();
        await world.passDays(10);
        const id = world.request("rotate");
        let left = 1;
        world.intercept = (_port, name, _input, proceed) =>
          name === method && left-- > 0 ? proceed().then(() => Promise.reject(death)) : proceed();
        await world.passDays(1);
        expect(await activeNumber(world)).toBe(2);
        const lines = world.table.journal(orders).filter(({ detail }) => detail.request === id);
        expect(lines.map(({ event }) => event)).toEqual(["rotation-requested"]);
        expect(await world.table.requests(orders)).toEqual([]);
      }
    }
  });

  test("for an unmanaged alias is reported and deleted", async () => {
    const world = await aWorld();
    await world.passDays(1);
    world.request("pause", {}, "alias/unmanaged");
    await world.tick();
    expect(world.reported.map(({ finding }) => finding.code)).toContain("REQUEST_REJECTED");
    expect(await world.table.requests("alias/unmanaged")).toEqual([]);
    expect((await world.tick()).outcome).toBe("nothing-due");
  });
});
