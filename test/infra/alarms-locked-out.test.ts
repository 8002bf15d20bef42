/** Callers that a move locks out, in the deployment that runs on its schedule: every one is alarmed, and no noise is. */
import { expect, test } from "vitest";
import { aPolicy, dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";
import { deploy } from "./alarms-proof.ts";
import type { Running } from "./alarms-deployment.ts";
import { isFull } from "../sizes.ts";

const alias = "alias/orders";
const account = "arn:aws:iam::000000000000:role";
const scanners = Array.from({ length: 30 }, (_, index) => `${account}/scanner-${index}`);
const person = `${account}/person`;
const application = `${account}/application`;
const Plaintext = "aXRlbQ==";

async function anAccount(cryptoperiodMs: number): Promise<{ world: World; running: Running }> {
  const policy = aPolicy({
    ...{ cryptoperiodMs, leadMs: hourMs, retire: "retain" },
    drain: { atLeastMs: dayMs, quietForMs: dayMs, evidence: "required" },
  });
  const world = await aWorld({ policy, refusalsWatch: "cloudtrail" });
  for (const nobody of [...scanners, person]) allow(world, nobody, "kms:ListKeys");
  const running = deploy(world, 5, "cloudtrail");
  await running.pass(6 * minuteMs);
  return { world, running };
}

function allow(world: World, principalArn: string, Action: string, Resource = "*"): void {
  const Statement = [{ Effect: "Allow", Action, Resource }];
  const document = JSON.stringify({ Version: "2012-10-17", Statement });
  world.kms.world.identityPolicies.attach(principalArn, [document]);
}

function refused(world: World, operation: string, input: object, principalArn: string): void {
  expect(() => world.kms.call(operation, input, { principalArn })).toThrow();
}

/** Every scanner calls every key, and a person opens a console that fetches a public key. */
function scan(world: World): void {
  for (const KeyId of world.kms.world.keys.keys()) {
    for (const scanner of scanners) refused(world, "GetPublicKey", { KeyId }, scanner);
    refused(world, "Encrypt", { KeyId, Plaintext }, person);
  }
}

async function activeVersion(world: World): Promise<number> {
  const { versions } = await world.record();
  return versions.find(({ state }) => state === "active")?.number ?? 0;
}

const days = isFull ? 365 : 92;

test("in a year of scanners, consoles and authorization that lags, no alarm goes off", async () => {
  const { world, running } = await anAccount(30 * dayMs);
  const beginMs = world.clock.nowMs();
  let active = 1;
  for (let day = 0; day < days; day += 1) {
    for (let hour = 0; hour < 24; hour += 1) {
      if (hour === 9) scan(world);
      await running.pass(hourMs);
      active = await activeVersion(world);
    }
  }
  expect(active).toBeGreaterThan(days / 40);
  expect(running.alarmed(beginMs)).toEqual([]);
}, 120_000);

test.each([
  ["alone", false],
  ["behind scanners that fill the twenty ids of every version", true],
])(
  "every caller that a move locks out is alarmed within 15 minutes, %s",
  async (_, isScanned) => {
    const { world, running } = await anAccount(8 * dayMs);
    world.eventDelayMs = 5 * minuteMs;
    const tookMs: number[] = [];
    for (let rotation = 1; rotation <= (isFull ? 20 : 4); rotation += 1) {
      const caller = `${application}-${rotation}`;
      const keyId = await world.targetOf(alias);
      allow(world, caller, "kms:Encrypt", `arn:aws:kms:us-east-1:000000000000:key/${keyId}`);
      await passTheMove(world, running, isScanned);
      const sinceMs = world.clock.nowMs();
      expect(running.inAlarm("CallersLockedOut")).toBe(false);
      for (let minute = 0; minute < 15; minute += 5) {
        refused(world, "Encrypt", { KeyId: alias, Plaintext }, caller);
        await running.pass(5 * minuteMs);
      }
      tookMs.push(running.wentOffAtMs("CallersLockedOut", sinceMs) - sinceMs);
      // The caller's policy is corrected, and the alarm ends days later.
      allow(world, caller, "kms:Encrypt");
      await running.pass(2 * dayMs);
      expect(running.inAlarm("CallersLockedOut")).toBe(true);
      await running.pass(2 * dayMs);
      expect(running.inAlarm("CallersLockedOut")).toBe(false);
    }
    expect(tookMs.filter((ms) => ms > 15 * minuteMs)).toEqual([]);
  },
  120_000,
);

/** Until ten minutes after the next version is active; scanners call its key before that, too. */
async function passTheMove(world: World, running: Running, isScanned: boolean): Promise<void> {
  const before = await activeVersion(world);
  let scanned = 0;
  while ((await activeVersion(world)) === before) {
    await running.pass(5 * minuteMs);
    const keys = world.kms.world.keys.size;
    if (isScanned && keys > scanned) scan(world);
    scanned = keys;
  }
  await running.pass(10 * minuteMs);
  if (isScanned) scan(world);
}
