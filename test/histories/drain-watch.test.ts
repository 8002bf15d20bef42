import { expect, test } from "vitest";
import { canaryMark } from "../../lambda/inbound/canary.ts";
import { readUseAttempt } from "../../lambda/inbound/use-attempt.ts";
import { eventOf } from "../inbound/cloudtrail.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";

/** The DescribeKey of a canary, as CloudTrail records it. */
function canaryEvent(atMs: number, more: object = {}): unknown {
  return eventOf({
    eventName: "DescribeKey",
    userAgent: `[aws-sdk-js/3.1164.0 ua/2.1 os/linux lang/js md/nodejs#24.21.0 ${canaryMark}]`,
    eventTime: new Date(atMs).toISOString(),
    errorCode: undefined,
    errorMessage: undefined,
    ...more,
  });
}

/** Every event of a canary arrives after this delay; with Infinity, none does. */
function eventsComeAfter(world: World, delayMs: number): { sent: number } {
  const reported = { sent: 0 };
  world.intercept = (_port, method, _input, proceed) => {
    if (method !== "canary") return proceed();
    reported.sent += 1;
    const atMs = world.clock.nowMs();
    if (delayMs < Infinity) {
      const land = () => world.deliver(canaryEvent(atMs));
      world.underWay.push({ atMs: atMs + delayMs, land });
    }
    return proceed();
  };
  return reported;
}

async function state(world: World): Promise<string | undefined> {
  return (await world.record()).versions.find(({ number }) => number === 1)?.state;
}

const drained = 83 + 31;

test("without an event the old version stays in drain, and keyturn reports why", async () => {
  const world = await aWorld({ policy: { retire: "delete" }, drainWatch: "cloudtrail" });
  eventsComeAfter(world, Infinity);
  await world.passDays(drained + 60);
  expect(await state(world)).toBe("draining");
  const [reported] = (await world.record()).findings;
  expect(reported).toMatchObject({ code: "DRAIN_NOT_WATCHED" });
  expect(reported?.observed).toContain("no canary event has arrived through CloudTrail");
  expect(world.calls).not.toContain("DisableKey");
});

test("after the first event keyturn disables the version, without a finding before", async () => {
  const world = await aWorld({ policy: { retire: "delete" }, drainWatch: "cloudtrail" });
  const canaries = eventsComeAfter(world, 7 * minuteMs);
  await world.passDays(drained);
  expect(await state(world)).toBe("disabled");
  expect(world.reported).toEqual([]);
  expect(world.history()).toContain("watch-tested");
  expect(canaries.sent).toBeLessThan(5);
});

test("a broken event path in the soak prevents the deletion until it works again", async () => {
  const world = await aWorld({ policy: { retire: "delete" }, drainWatch: "cloudtrail" });
  eventsComeAfter(world, minuteMs);
  await world.passDays(drained);
  expect(await state(world)).toBe("disabled");
  eventsComeAfter(world, Infinity);
  await world.passDays(30);
  expect(await state(world)).toBe("disabled");
  expect(await world.findings()).toEqual(["DRAIN_NOT_WATCHED"]);
  eventsComeAfter(world, minuteMs);
  await world.pass(3 * hourMs);
  expect(await state(world)).toBe("pending-deletion");
  expect(await world.findings()).toEqual([]);
});

test("an event of the day before yesterday does not count", async () => {
  const world = await aWorld({ drainWatch: "cloudtrail" });
  eventsComeAfter(world, 2 * dayMs);
  await world.passDays(drained + 10);
  expect(await state(world)).toBe("draining");
});

test("without drain monitoring keyturn sends no canary, and waits for none", async () => {
  const world = await aWorld();
  const canaries = eventsComeAfter(world, Infinity);
  await world.passDays(drained);
  expect(await state(world)).toBe("disabled");
  expect(canaries.sent).toBe(0);
});

test.each([
  ["of another service", {}, { source: "aws.s3" }],
  ["of another source on the bus", {}, { source: "my.app" }],
  ["of another operation", { eventName: "ListKeys" }, {}],
  ["of a DescribeKey without the canary mark", { userAgent: "aws-cli/2.31.0" }, {}],
  ["without a time", { eventTime: "yesterday" }, {}],
])("an event %s is no canary", (_what, detail, outer) => {
  const { detail: fields, ...envelope } = canaryEvent(0) as { detail: object };
  const event = { ...envelope, ...outer, detail: { ...fields, ...detail } };
  expect(readUseAttempt(event).kind).not.toBe("canary");
  expect(readUseAttempt(canaryEvent(0)).kind).toBe("canary");
});
