/** The alarms of rotations: overdue, halted, stuck, throttled. See alarms-runs.test.ts. */
import { describe, expect, test } from "vitest";
import type { Call, Outcome } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aWorld } from "../world.ts";
import {
  aDeployment,
  breaks,
  deploy,
  expectAlarm,
  expectQuiet,
  first,
  manyKeys,
  nowOf,
  quick,
  throttled,
} from "./alarms-proof.ts";

const alias = "alias/orders";

/** The event of a change reaches the function. */
async function marked({ world }: Awaited<ReturnType<typeof aDeployment>>): Promise<number> {
  const suspectedAtMs = world.clock.nowMs();
  await world.table.nudge(alias, suspectedAtMs, { suspectedAtMs });
  return suspectedAtMs;
}

describe("a rotation", () => {
  test("that halts because an operator moved the alias sets an alarm until it is moved back", async () => {
    const running = await aDeployment();
    const { world } = running;
    const rightful = await world.targetOf(alias);
    const made = await world.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", {});
    const TargetKeyId = made.KeyMetadata.KeyId;
    await world.ask("UpdateAlias", { AliasName: alias, TargetKeyId });
    world.request("rotate");
    const sinceMs = nowOf(running);
    await running.pass(5 * dayMs);
    expectAlarm(running, "RotationHalted", sinceMs);
    await world.ask("UpdateAlias", { AliasName: alias, TargetKeyId: rightful });
    await expectQuiet(running, "RotationHalted");
  });

  test.each([60, 1440])(
    "that halts sets an alarm also with %d minutes between runs",
    async (minutes) => {
      const running = await aDeployment({}, minutes);
      const { world } = running;
      await running.pass(20 * dayMs);
      const rightful = await world.targetOf(alias);
      const made = await world.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", {});
      const TargetKeyId = made.KeyMetadata.KeyId;
      expect(running.alarmed(nowOf(running) - 19 * dayMs)).toEqual([]);
      await world.ask("UpdateAlias", { AliasName: alias, TargetKeyId });
      world.request("rotate");
      const sinceMs = nowOf(running);
      await running.pass(20 * dayMs);
      expectAlarm(running, "RotationHalted", sinceMs);
      await world.ask("UpdateAlias", { AliasName: alias, TargetKeyId: rightful });
      await expectQuiet(running, "RotationHalted");
    },
  );

  test.each([
    ["ScheduleKeyDeletion", { PendingWindowInDays: 7 }, ["CancelKeyDeletion", "EnableKey"]],
    ["DisableKey", {}, ["EnableKey"]],
  ] as const)(
    "whose version meets %s sets an alarm soon after its event",
    async (call, input, undo) => {
      const running = await aDeployment();
      const { world } = running;
      await running.pass(3 * dayMs);
      const KeyId = await world.targetOf(alias);
      await world.ask(call, { KeyId, ...input });
      const sinceMs = await marked(running);
      await running.pass(1.1 * dayMs);
      expectAlarm(running, "VersionEndangered", sinceMs, ["RotationHalted"]);
      for (const operation of undo) await world.ask(operation, { KeyId });
      await expectQuiet(running, "VersionEndangered", "RotationHalted");
    },
  );

  test("whose version loses its access tag sets an alarm without a halt", async () => {
    const running = await aDeployment();
    const { world } = running;
    await running.pass(3 * dayMs);
    const KeyId = await world.targetOf(alias);
    const tags = [{ TagKey: "keyturn:alias", TagValue: alias }];
    await world.ask("UntagResource", { KeyId, TagKeys: ["keyturn:alias"] });
    const sinceMs = await marked(running);
    await running.pass(1.1 * dayMs);
    expectAlarm(running, "VersionEndangered", sinceMs);
    await world.ask("TagResource", { KeyId, Tags: tags });
    await expectQuiet(running, "VersionEndangered");
  });

  test("that halts keeps its alarm while KMS does not answer", async () => {
    const running = await aDeployment();
    const { world } = running;
    const made = await world.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", {});
    await world.ask("UpdateAlias", { AliasName: alias, TargetKeyId: made.KeyMetadata.KeyId });
    world.request("rotate");
    const sinceMs = nowOf(running);
    await running.pass(3 * hourMs);
    breaks(world, "keys", (_, method) => throttled(method));
    await running.pass(dayMs);
    expectAlarm(running, "RotationHalted", sinceMs, ["StepStuck", "ThrottlingPersistent"]);
  });

  test("that this version of the code cannot read sets the alarm of a halted one", async () => {
    const running = await aDeployment();
    const { world } = running;
    const stored = await world.table.read(alias);
    if (stored === undefined) throw new Error("expected a record");
    const newer = { ...stored.record, schema: 99, dueAtMs: nowOf(running) };
    world.table.put({ ...stored, record: newer });
    const sinceMs = nowOf(running);
    await running.pass(dayMs);
    expectAlarm(running, "RotationHalted", sinceMs);
    world.table.put(stored);
    await expectQuiet(running, "RotationHalted");
  });

  test("that is paused past the cryptoperiod sets the overdue alarm until its activation", async () => {
    const running = await aDeployment({ policy: quick });
    running.world.request("pause");
    await running.pass(2 * dayMs - 5 * minuteMs);
    const { versions } = await running.world.record();
    const overdueAtMs = (versions[0]?.activatedAtMs ?? 0) + 3 * dayMs;
    await running.pass(5 * dayMs);
    expectAlarm(running, "RotationOverdue", overdueAtMs);
    running.world.request("resume");
    await expectQuiet(running, "RotationOverdue");
    expect(running.world.history()).toContain("activated");
  });

  test("whose alias may not be moved is first halted, then overdue", async () => {
    const running = await aDeployment({ policy: quick });
    const beginMs = nowOf(running);
    breaks(running.world, "keys", (_, method, input) => {
      const isMove = method === "change" && (input[0] as Call).kind === "UpdateAlias";
      const denied: Outcome = { kind: "refused", refusal: "AccessDenied", message: "by an SCP" };
      return isMove ? Promise.resolve(denied) : undefined;
    });
    await running.pass(dayMs + 2 * hourMs);
    expect(running.alarmed(beginMs)).toEqual(["RotationHalted"]);
    const { versions } = await running.world.record();
    const overdueAtMs = (versions[0]?.activatedAtMs ?? 0) + 3 * dayMs;
    await running.pass(3 * dayMs);
    expectAlarm(running, "RotationOverdue", overdueAtMs, ["RotationHalted", "StepStuck"]);
    running.world.intercept = undefined;
    await expectQuiet(running, "RotationOverdue", "RotationHalted", "StepStuck");
  });

  test("of a key enrolled past its cryptoperiod starts at once, without an alarm", async () => {
    const world = await aWorld({ policy: quick });
    world.clock.advance(10 * dayMs);
    const running = deploy(world);
    await running.pass(6 * minuteMs);
    const sinceMs = nowOf(running);
    await running.pass(dayMs);
    expect(world.history()).toContain("activated");
    expect(running.alarmed(sinceMs)).toEqual([]);
  });
});

describe("a step", () => {
  test("without a dependent's acknowledgement is stuck until it comes", async () => {
    const policy = { ...quick, acknowledgeWithinMs: 4 * hourMs };
    const running = await aDeployment({ policy, dependents: ["billing"] });
    running.world.request("rotate");
    await running.pass(hourMs);
    const sinceMs = nowOf(running) - hourMs;
    const { rotations } = await running.world.record();
    const { stepSinceMs, step } = rotations[0] ?? { stepSinceMs: 0 };
    expect(step).toBe("distribute");
    const limitMs = 2 * 15 * minuteMs + 4 * hourMs + dayMs;
    await running.pass(3 * dayMs);
    // It halted at the deadline of the dependent.
    expect(running.alarmed(sinceMs)).toContain("RotationHalted");
    const others = ["RotationHalted", "RotationOverdue"];
    expectAlarm(running, "StepStuck", stepSinceMs + limitMs, others);
    running.world.request("acknowledge", { version: 2, dependent: "billing" });
    await expectQuiet(running, "StepStuck", ...others);
  });

  test("whose old version stays in use is stuck until the use ends", async () => {
    const running = await aDeployment({ policy: { ...quick, cryptoperiodMs: 90 * dayMs } });
    const { world } = running;
    const Plaintext = Buffer.from("an old item").toString("base64");
    const sealed = await world.ask<object>("Encrypt", { KeyId: alias, Plaintext });
    world.request("rotate");
    await running.pass(2 * hourMs);
    const { rotations } = await world.record();
    const { stepSinceMs, step } = rotations[0] ?? { stepSinceMs: 0 };
    expect(step).toBe("drain");
    for (let hours = 0; hours < 100; hours += 2) {
      await world.ask("Decrypt", sealed);
      await running.pass(2 * hourMs);
    }
    expectAlarm(running, "StepStuck", stepSinceMs + 2 * (2 + 6) * hourMs + dayMs);
    await running.pass(8 * hourMs);
    await expectQuiet(running, "StepStuck");
  });

  test("whose call repeatedly has no answer is stuck", async () => {
    const running = await aDeployment();
    running.world.request("rotate");
    const sinceMs = nowOf(running);
    breaks(running.world, "keys", (_, method) => {
      const unknown: Outcome = { kind: "unknown", message: "no answer" };
      return method === "change" ? Promise.resolve(unknown) : undefined;
    });
    await running.pass(5 * dayMs);
    const { findings } = await running.world.record();
    const since = findings.find(({ code }) => code === "STUCK")?.sinceMs ?? Infinity;
    expect(since).toBeLessThan(sinceMs + 3 * hourMs);
    expectAlarm(running, "StepStuck", Math.floor(since / minuteMs) * minuteMs);
    running.world.intercept = undefined;
    // It delays another CreateKey: unanswered calls may have made keys.
    await running.pass(2 * dayMs);
    await expectQuiet(running, "StepStuck");
  });
});

describe("throttling", () => {
  test("of all KMS requests sets an alarm for as long as it lasts", async () => {
    const running = await aDeployment();
    running.world.request("rotate");
    const sinceMs = nowOf(running);
    breaks(running.world, "keys", (_, method) => throttled(method));
    await running.pass(5 * dayMs);
    expectAlarm(running, "ThrottlingPersistent", sinceMs, ["StepStuck"]);
    running.world.intercept = undefined;
    await expectQuiet(running, "ThrottlingPersistent", "StepStuck");
  });

  test("of a single call, or of one call for each of many managed keys, sets no alarm", async () => {
    const running = await aDeployment({ keys: manyKeys(20) });
    for (const name of Object.keys(manyKeys(20))) running.world.request("rotate", {}, name);
    const sinceMs = nowOf(running);
    breaks(
      running.world,
      "keys",
      first(20, (_, method) => throttled(method)),
    );
    await running.pass(dayMs);
    expect(running.alarmed(sinceMs)).toEqual([]);
  });
});
