/** Keys whose material KMS rotates by itself: keyturn reports that a new key has that off. */
import { describe, expect, test } from "vitest";
import { RotationError } from "../../lambda/errors.ts";
import { dayMs } from "../fixtures.ts";
import { short } from "./short-policy.ts";
import { aWorld, type World, type WorldOptions } from "../world.ts";

const orders = "alias/orders";
const notice = "ROTATION_NOT_CARRIED";

async function rotatedByKms(options: WorldOptions = {}): Promise<World> {
  const world = await aWorld({ policy: short, ...options });
  await enable(world);
  return world;
}

async function enable(world: World): Promise<void> {
  await world.ask("EnableKeyRotation", { KeyId: await world.targetOf(orders) });
}

const asked = ({ calls }: World): number =>
  calls.filter((operation) => operation === "GetKeyRotationStatus").length;

/** The codes after each day, without repetitions. */
async function codesDuring(world: World, days: number): Promise<string[]> {
  const codes: string[] = [];
  for (let day = 0; day < days; day += 1) {
    await world.passDays(1);
    const now = (await world.findings()).join() || "none";
    if (codes.at(-1) !== now) codes.push(now);
  }
  return codes;
}

describe("a key that KMS rotates by itself", () => {
  test("is reported from its enrolment until its next version is active, and no later version is", async () => {
    const world = await rotatedByKms();
    const first = await world.targetOf(orders);
    await world.passDays(1);
    expect((await world.record()).findings).toMatchObject([
      {
        code: notice,
        subject: first,
        observed: `KMS rotates the material of version 1, ${first}`,
        next: `aws kms get-key-rotation-status --key-id ${first}`,
      },
    ]);
    expect(world.calls).not.toContain("CreateKey");
    await world.passDays(26);
    expect(await world.findings()).toEqual([notice]);
    await world.passDays(15);
    expect(await world.stateOf(first)).toBe("deleted");
    expect(await world.findings()).toEqual([]);
    const status = await world.ask("GetKeyRotationStatus", { KeyId: await world.targetOf(orders) });
    expect(status).toMatchObject({ KeyRotationEnabled: false });
    await world.passDays(30);
    expect(await world.findings()).toEqual([]);
  });

  test("is asked about once at enrolment, and once for each rotation", async () => {
    const world = await rotatedByKms();
    await world.passDays(27);
    expect(asked(world)).toBe(1);
    await world.passDays(20);
    expect(asked(world)).toBe(2);
    await world.passDays(28);
    expect(asked(world)).toBe(3);
  });

  test("since after its enrolment is reported when its rotation opens", async () => {
    const world = await aWorld({ policy: { ...short, propagationMs: 2 * dayMs } });
    await world.passDays(10);
    await enable(world);
    expect(await codesDuring(world, 25)).toEqual(["none", notice, "none"]);
  });

  test("is reported no longer if that is off when its rotation opens", async () => {
    const world = await rotatedByKms({ policy: { ...short, propagationMs: 2 * dayMs } });
    await world.passDays(10);
    await world.ask("DisableKeyRotation", { KeyId: await world.targetOf(orders) });
    await world.passDays(19);
    expect(world.history()).toContain("opened");
    expect(world.history()).not.toContain("activated");
    expect(await world.findings()).toEqual([]);
  });

  test("as a later version is reported too: an operator enabled that on it", async () => {
    const world = await aWorld({ policy: { ...short, propagationMs: 2 * dayMs } });
    await world.passDays(45);
    await enable(world);
    expect(await codesDuring(world, 30)).toEqual(["none", notice, "none"]);
  });

  test("is reported again after a rollback to it", async () => {
    const world = await rotatedByKms({ policy: { ...short, retire: "disable" } });
    await world.passDays(31);
    expect(await world.findings()).toEqual([]);
    await world.asks("rollback", { version: 2 });
    await world.passDays(1);
    expect(await world.findings()).toContain(notice);
  });

  test("is reported in mode plan", async () => {
    const world = await rotatedByKms({ mode: "plan" });
    await world.passDays(1);
    expect(await world.findings()).toContain(notice);
    expect(asked(world)).toBe(1);
  });
});

describe("the read is no condition of a rotation", () => {
  const answers = (world: World, answer: () => Promise<unknown>): void => {
    world.intercept = (_port, method, _input, proceed) =>
      method === "rotatesItself" ? answer() : proceed();
  };

  test.each([
    ["denied, as to a role without the right", { kind: "denied", message: "not authorized" }],
    ["not offered here", { kind: "absent" }],
  ])("if KMS's answer is %s", async (_, answer) => {
    const world = await rotatedByKms();
    answers(world, () => Promise.resolve(answer));
    const first = await world.targetOf(orders);
    await world.passDays(42);
    expect(await world.stateOf(first)).toBe("deleted");
    expect(await world.findings()).toEqual([]);
    expect(world.reported.map(({ finding }) => finding.code)).not.toContain("ACCESS_DENIED");
  });

  test("if KMS gives no answer for an hour: the enrolment then continues", async () => {
    const world = await rotatedByKms();
    const failure = new RotationError("THROTTLED", "Rate exceeded", undefined);
    answers(world, () => Promise.reject(failure));
    await world.pass(dayMs / 24);
    world.intercept = undefined;
    await world.passDays(1);
    expect((await world.record()).enrolledAtMs).toBeDefined();
    expect(await world.findings()).toEqual([notice]);
  });

  test.each([
    ["an RSA key", { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" }],
    ["an HMAC key", { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" }],
  ])("for %s: KMS rotates none, and keyturn does not ask", async (_, spec) => {
    const world = await aWorld({ policy: short, keys: { [orders]: spec } });
    const first = await world.targetOf(orders);
    await world.passDays(42);
    expect(await world.stateOf(first)).toBe("deleted");
    expect(asked(world)).toBe(0);
  });
});
