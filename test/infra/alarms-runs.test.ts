/**
 * The alarms of runs and their dependencies: each goes on within two periods of its fault, stays on
 * as long as the fault lasts, and ends after it; the tests list any other alarm that goes on.
 */
import { describe, expect, test } from "vitest";
import { dayMs, hourMs, minuteMs, secondMs } from "../fixtures.ts";
import { aWorld } from "../world.ts";
import { Running } from "./alarms-deployment.ts";
import {
  aDeployment,
  breaks,
  deploy,
  expectAlarm,
  expectQuiet,
  first,
  manyKeys,
  names,
  nowOf,
  tableFailed,
} from "./alarms-proof.ts";
import { templateOf, watchedIn } from "./alarms-stack.ts";

describe("a missing heartbeat", () => {
  test("for three intervals sets an alarm for as long as no run comes", async () => {
    const running = await aDeployment();
    const lastRunMs = nowOf(running);
    running.schedule = "off";
    await running.pass(3 * dayMs);
    expectAlarm(running, "HeartbeatMissing", lastRunMs + 15 * minuteMs);
    running.schedule = "on";
    await expectQuiet(running, "HeartbeatMissing");
  });

  test("of one lost run sets no alarm", async () => {
    const running = await aDeployment();
    const sinceMs = nowOf(running);
    running.schedule = "off";
    await running.pass(5 * minuteMs);
    running.schedule = "on";
    await running.pass(hourMs);
    expect(running.alarmed(sinceMs)).toEqual([]);
  });

  test("before the first run ends with it; a first deployment sets no other alarm", async () => {
    const running = deploy(await aWorld());
    const sinceMs = nowOf(running);
    await running.pass(6 * minuteMs);
    expect(running.inAlarm("HeartbeatMissing")).toBe(false);
    await running.pass(dayMs);
    expect(running.alarmed(sinceMs)).toEqual(["HeartbeatMissing"]);
    expect(running.changes("HeartbeatMissing", sinceMs)).toBe(2);
  });
});

describe("runs", () => {
  test("that all end in an error set an alarm", async () => {
    const running = await aDeployment();
    const sinceMs = nowOf(running);
    breaks(running.world, "table", () => Promise.reject(new TypeError("a bug")));
    await running.pass(6 * hourMs);
    expectAlarm(running, "RunErrors", sinceMs, ["DeadLetters", "HeartbeatMissing"]);
    running.world.intercept = undefined;
    running.purge();
    await expectQuiet(running, "RunErrors", "DeadLetters", "HeartbeatMissing");
  });

  test("in which one managed key's pass fails repeatedly set a lasting alarm", async () => {
    const running = await aDeployment();
    running.world.request("rotate");
    const sinceMs = nowOf(running);
    breaks(running.world, "table", (_, method) =>
      method === "requests" ? Promise.reject(new TypeError("a bug")) : undefined,
    );
    await running.pass(5 * dayMs);
    expectAlarm(running, "TurnErrors", sinceMs);
    running.world.intercept = undefined;
    await expectQuiet(running, "TurnErrors");
  });

  test("of which one ends in an error, but not its second attempt, set no alarm", async () => {
    const running = await aDeployment();
    const sinceMs = nowOf(running);
    breaks(
      running.world,
      "table",
      first(1, () => Promise.reject(new TypeError("a transient error"))),
    );
    await running.pass(dayMs);
    expect(running.invocations.failed).toBe(1);
    expect(running.alarmed(sinceMs)).toEqual([]);
  });

  test("that use their whole time while KMS is slow set an alarm", async () => {
    const running = await aDeployment({ keys: manyKeys(100) });
    for (const name of Object.keys(manyKeys(100))) running.world.request("rotate", {}, name);
    const sinceMs = nowOf(running);
    breaks(running.world, "keys", (proceed) => {
      running.world.clock.advance(5 * secondMs);
      return proceed();
    });
    await running.pass(90 * minuteMs);
    expectAlarm(running, "RunNearTimeLimit", sinceMs);
    running.world.intercept = undefined;
    await expectQuiet(running, "RunNearTimeLimit");
  });

  test("that are killed one after the other set an alarm, although they emit no metrics", async () => {
    const running = await aDeployment();
    running.world.request("rotate");
    const sinceMs = nowOf(running);
    breaks(running.world, "keys", (proceed) => {
      running.world.clock.advance(6 * minuteMs);
      return proceed();
    });
    await running.pass(12 * minuteMs);
    const others = ["DeadLetters", "HeartbeatMissing", "RunNearTimeLimit"];
    await running.pass(20 * minuteMs);
    expect([...others, "RunErrors"].sort()).toEqual(
      expect.arrayContaining(running.alarmed(sinceMs)),
    );
    expect(running.alarmed(sinceMs)).toContain("RunErrors");
  });

  test("whose events cannot be delivered leave a dead letter, and an alarm until it is deleted", async () => {
    const running = await aDeployment();
    const sinceMs = nowOf(running);
    running.schedule = "undeliverable";
    await running.pass(5 * minuteMs);
    running.schedule = "on";
    await running.pass(2 * dayMs);
    expectAlarm(running, "DeadLetters", sinceMs);
    running.purge();
    await expectQuiet(running, "DeadLetters");
  });
});

describe("a table", () => {
  test("that does not answer sets an alarm, and so do the runs that do not finish", async () => {
    const running = await aDeployment();
    const sinceMs = nowOf(running);
    breaks(running.world, "table", tableFailed);
    await running.pass(dayMs);
    const others = ["DeadLetters", "HeartbeatMissing", "RunErrors"];
    expectAlarm(running, "TableErrors", sinceMs, others);
    running.world.intercept = undefined;
    running.purge();
    await expectQuiet(running, "TableErrors", ...others);
  });

  test("that refuses writes sets an alarm for as long as writes are pending", async () => {
    const running = await aDeployment();
    running.world.request("rotate");
    const sinceMs = nowOf(running);
    breaks(running.world, "table", (_, method) => (method === "write" ? tableFailed() : undefined));
    await running.pass(5 * dayMs);
    expectAlarm(running, "TableErrors", sinceMs, ["TurnErrors"]);
    running.world.intercept = undefined;
    await expectQuiet(running, "TableErrors", "TurnErrors");
  });

  test("that fails once sets no alarm", async () => {
    const running = await aDeployment();
    running.world.request("rotate");
    const sinceMs = nowOf(running);
    breaks(running.world, "table", first(1, tableFailed));
    await running.pass(dayMs);
    expect(running.alarmed(sinceMs)).toEqual([]);
  });
});

test("two deployments in one account and Region have separate heartbeats", async () => {
  const template = templateOf(["One", "Two"]);
  const twins = {
    ...names,
    tableName: "keyturn-2",
    functionName: "rotate-2",
    queueName: "letters-2",
  };
  const one = new Running(await aWorld(), watchedIn(template, "One", names), names);
  const alarms = watchedIn(template, "Two", twins);
  const two = new Running(await aWorld({ owner: "emca" }), alarms, twins, { store: one.store });
  const pass = async (hours: number): Promise<void> => {
    for (let minutes = 0; minutes < 60 * hours; minutes += 5) {
      await one.pass(5 * minuteMs);
      await two.pass(5 * minuteMs);
    }
  };
  await pass(2);
  const sinceMs = nowOf(two);
  two.schedule = "off";
  await pass(3);
  expect([one.alarmed(sinceMs), two.alarmed(sinceMs)]).toEqual([[], ["HeartbeatMissing"]]);
});
