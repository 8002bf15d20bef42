/**
 * The alarms of runs and of what they need: each goes off within two periods of the fault that it is for,
 * stays on as long as that lasts, and ends after it; what else goes off with it is named.
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

describe("silence", () => {
  test("of three intervals is an alarm, for as long as no run comes", async () => {
    const running = await aDeployment();
    const lastRunMs = nowOf(running);
    running.schedule = "off";
    await running.pass(3 * dayMs);
    expectAlarm(running, "HeartbeatMissing", lastRunMs + 15 * minuteMs);
    running.schedule = "on";
    await expectQuiet(running, "HeartbeatMissing");
  });

  test("of a run that was lost is none", async () => {
    const running = await aDeployment();
    const sinceMs = nowOf(running);
    running.schedule = "off";
    await running.pass(5 * minuteMs);
    running.schedule = "on";
    await running.pass(hourMs);
    expect(running.alarmed(sinceMs)).toEqual([]);
  });

  test("before the first run ends with it, and nothing else goes off at a first deployment", async () => {
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
  test("that all end in an error are an alarm", async () => {
    const running = await aDeployment();
    const sinceMs = nowOf(running);
    breaks(running.world, "table", () => Promise.reject(new TypeError("a bug")));
    await running.pass(6 * hourMs);
    expectAlarm(running, "RunErrors", sinceMs, ["DeadLetters", "HeartbeatMissing"]);
    running.world.intercept = undefined;
    running.purge();
    await expectQuiet(running, "RunErrors", "DeadLetters", "HeartbeatMissing");
  });

  test("in which one managed key's turn fails time after time are an alarm, all the time", async () => {
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

  test("of which one ends in an error, and its second attempt does not, are none", async () => {
    const running = await aDeployment();
    const sinceMs = nowOf(running);
    breaks(
      running.world,
      "table",
      first(1, () => Promise.reject(new TypeError("a hiccup"))),
    );
    await running.pass(dayMs);
    expect(running.invocations.failed).toBe(1);
    expect(running.alarmed(sinceMs)).toEqual([]);
  });

  test("that use up their time, while KMS is slow, are an alarm", async () => {
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

  test("that are killed, one after the other, are an alarm although nothing of theirs is heard", async () => {
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

  test("whose events cannot be delivered leave a letter, and an alarm until it is read", async () => {
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
  test("that does not answer is an alarm, and so is that no run comes to its end", async () => {
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

  test("that refuses to be written is an alarm for as long as something is to be written", async () => {
    const running = await aDeployment();
    running.world.request("rotate");
    const sinceMs = nowOf(running);
    breaks(running.world, "table", (_, method) => (method === "write" ? tableFailed() : undefined));
    await running.pass(5 * dayMs);
    expectAlarm(running, "TableErrors", sinceMs, ["TurnErrors"]);
    running.world.intercept = undefined;
    await expectQuiet(running, "TableErrors", "TurnErrors");
  });

  test("that fails once is none", async () => {
    const running = await aDeployment();
    running.world.request("rotate");
    const sinceMs = nowOf(running);
    breaks(running.world, "table", first(1, tableFailed));
    await running.pass(dayMs);
    expect(running.alarmed(sinceMs)).toEqual([]);
  });
});

test("of two deployments in one account and Region, one is not heard in the other's place", async () => {
  const template = templateOf(["One", "Two"]);
  const twins = { tableName: "keyturn-2", functionName: "rotate-2", queueName: "letters-2" };
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
