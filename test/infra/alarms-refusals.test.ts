/** The alarms of refused uses. See alarms-runs.test.ts. */
import { describe, expect, test } from "vitest";
import { absentKeyId } from "../contract/sides.ts";
import { dayMs, hourMs, minuteMs, secondMs } from "../fixtures.ts";
import { aWorld } from "../world.ts";
import { RefusedUsesQueue } from "./alarms-queue.ts";
import type { Running } from "./alarms-deployment.ts";
import { breaks, deploy, expectAlarm, first, nowOf, tableFailed } from "./alarms-proof.ts";

const alias = "alias/orders";
const reader = "arn:aws:iam::000000000000:role/reader";

/** A deployment and its queue, a day after its creation. */
async function aDeployment(): Promise<{ running: Running; queue: RefusedUsesQueue }> {
  const running = deploy(await aWorld(), 5, "cloudtrail");
  await running.pass(dayMs + minuteMs);
  return { running, queue: new RefusedUsesQueue(running) };
}

/** The principal may use this version only, and calls by the alias: the event of the refused call. */
function refusedCall({ world }: Running, allowed: string): unknown {
  const Resource = `arn:aws:kms:us-east-1:000000000000:key/${allowed}`;
  const Statement = [{ Effect: "Allow", Action: "kms:Encrypt", Resource }];
  const policy = JSON.stringify({ Version: "2012-10-17", Statement });
  world.kms.world.identityPolicies.attach(reader, [policy]);
  const events: unknown[] = [];
  world.kms.onRefusedUse = (event) => events.push(event);
  const input = { KeyId: alias, Plaintext: "aXRlbQ==" };
  expect(() => world.kms.call("Encrypt", input, { principalArn: reader })).toThrow();
  return events.at(-1);
}

/** A new version is active, and its authorization has arrived everywhere. */
async function afterTheMove(running: Running): Promise<string> {
  const version = await running.world.targetOf(alias);
  running.world.request("rotate");
  while ((await running.world.targetOf(alias)) === version) await running.pass(5 * minuteMs);
  await running.pass(15 * minuteMs);
  return version;
}

describe("a caller that a rotation locks out", () => {
  test.each([0, 1, 2, 3, 4])(
    "sets an alarm within 15 minutes of its call, %d minutes after a run",
    async (minutes) => {
      const { running, queue } = await aDeployment();
      const version = await afterTheMove(running);
      await running.pass(minutes * minuteMs);
      const sinceMs = nowOf(running);
      const event = refusedCall(running, version);
      // CloudTrail's events arrive within about five minutes of the call.
      await queue.pass(5 * minuteMs);
      queue.send(event);
      await queue.pass(20 * minuteMs);
      const atMs = running.wentOffAtMs("CallersLockedOut", sinceMs);
      expect((atMs - sinceMs) / minuteMs).toBeLessThanOrEqual(15);
      expect(running.alarmed(sinceMs)).toEqual(["CallersLockedOut"]);
    },
  );

  test("keeps its alarm until three days after its last call", async () => {
    const { running, queue } = await aDeployment();
    const version = await afterTheMove(running);
    const sinceMs = nowOf(running);
    queue.send(refusedCall(running, version));
    await queue.pass(10 * minuteMs);
    await running.pass(3 * dayMs - 15 * minuteMs);
    expectAlarm(running, "CallersLockedOut", sinceMs);
    await running.pass(4 * hourMs);
    expect(running.inAlarm("CallersLockedOut")).toBe(false);
  });

  test("also before the move sets no alarm", async () => {
    const { running, queue } = await aDeployment();
    queue.send(refusedCall(running, absentKeyId));
    await queue.pass(10 * minuteMs);
    await afterTheMove(running);
    const sinceMs = nowOf(running);
    queue.send(refusedCall(running, absentKeyId));
    await queue.pass(hourMs);
    expect(running.alarmed(sinceMs)).toEqual([]);
  });
});

describe("the queue of refused uses", () => {
  test("that Lambda does not poll sets an alarm until it does", async () => {
    const { running, queue } = await aDeployment();
    const version = await afterTheMove(running);
    queue.mode = "off";
    const sinceMs = nowOf(running);
    queue.send(refusedCall(running, version));
    await queue.pass(dayMs);
    expectAlarm(running, "RefusalsDelayed", sinceMs);
    queue.mode = "works";
    await queue.pass(40 * minuteMs);
    expect(running.inAlarm("RefusalsDelayed")).toBe(false);
    expect(running.inAlarm("CallersLockedOut")).toBe(true);
  });

  test("whose messages cannot be stored sets an alarm, although SQS then omits them", async () => {
    const { running, queue } = await aDeployment();
    const version = await afterTheMove(running);
    const sinceMs = nowOf(running);
    breaks(running.world, "table", (_, method) =>
      method === "saveRefusals" ? tableFailed() : undefined,
    );
    queue.send(refusedCall(running, version));
    await queue.pass(20 * minuteMs);
    expectAlarm(running, "RefusalsDelayed", sinceMs);
    running.world.intercept = undefined;
    await queue.pass(hourMs);
    expect(running.inAlarm("RefusalsDelayed")).toBe(false);
    expect(running.inAlarm("CallersLockedOut")).toBe(true);
  });

  test("that repeats a message once sets no alarm", async () => {
    const { running, queue } = await aDeployment();
    const version = await afterTheMove(running);
    const sinceMs = nowOf(running);
    breaks(
      running.world,
      "table",
      first(1, (_, method) => (method === "saveRefusals" ? tableFailed() : undefined)),
    );
    queue.send(refusedCall(running, version));
    await queue.pass(hourMs);
    expect(running.alarmed(sinceMs)).toEqual(["CallersLockedOut"]);
  });
});

describe("the second function", () => {
  test("that fails on each batch sets an alarm until it works", async () => {
    const { running, queue } = await aDeployment();
    const version = await afterTheMove(running);
    queue.mode = "crashes";
    const sinceMs = nowOf(running);
    queue.send(refusedCall(running, version));
    await queue.pass(30 * minuteMs);
    expectAlarm(running, "RefusalsFailing", sinceMs, ["RefusalsDelayed"]);
    queue.mode = "works";
    await queue.pass(hourMs);
    expect(running.inAlarm("RefusalsFailing")).toBe(false);
  });

  test("that fails once sets no alarm", async () => {
    const { running, queue } = await aDeployment();
    const version = await afterTheMove(running);
    const sinceMs = nowOf(running);
    queue.send(refusedCall(running, version));
    queue.mode = "crashes";
    await queue.pass(2 * minuteMs);
    queue.mode = "works";
    await queue.pass(hourMs);
    expect(running.alarmed(sinceMs)).toEqual(["CallersLockedOut"]);
    expect(running.wentOffAtMs("CallersLockedOut", sinceMs) - sinceMs).toBeLessThan(900 * secondMs);
  });
});
