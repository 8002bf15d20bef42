/** The port has one implementation: an in-memory test keeps the events, without an adapter. */
import { expect, test } from "vitest";
import { createEvents } from "../../lambda/aws/eventbridge.ts";
import type { Events, JournalEntry, Stored } from "../../lambda/ports.ts";
import type { EmbeddedAws } from "../../embedded-aws/embedded-aws.ts";
import { anAws, sdkConfig } from "./sides.ts";
import { alias, aStored, transitionOf } from "./tables.ts";

async function aBus(busName = "default"): Promise<{ aws: EmbeddedAws; events: Events }> {
  const aws = await anAws();
  return { aws, events: createEvents(busName, sdkConfig(aws.endpoint)) };
}

function linesOf(count: number): JournalEntry[] {
  let stored: Stored = aStored();
  for (let line = 0; line < count; line += 1) stored = transitionOf(stored);
  return stored.outbox;
}

const puts = (aws: EmbeddedAws): number => aws.calls().events.PutEvents ?? 0;

test("every journal line is one event, in order, ten per request", async () => {
  const { aws, events } = await aBus("security");
  const lines = linesOf(25);
  await events.publish(lines);
  expect(puts(aws)).toBe(3);
  expect(aws.events.map(({ detail }) => detail)).toEqual(lines);
  expect(aws.events[0]).toMatchObject({
    source: "keyturn",
    detailType: "Rotation opened",
    busName: "security",
    detail: { alias, revision: 1 },
  });
});

test("no line makes no request", async () => {
  const { aws, events } = await aBus();
  await events.publish([]);
  expect(puts(aws)).toBe(0);
});

test("events whose answer was lost are sent again: at least once", async () => {
  const { aws, events } = await aBus();
  let left = 1;
  aws.fault = () => (left-- > 0 ? { kind: "lost" } : undefined);
  await events.publish(linesOf(2));
  const reported = aws.events.map(({ detail }) => (detail as JournalEntry).revision);
  expect(reported).toEqual([1, 2, 1, 2]);
});

test("an event that the bus rejects is an error, although the request succeeded", async () => {
  const { aws, events } = await aBus();
  const [good, bad] = linesOf(2);
  if (good === undefined || bad === undefined) throw new Error("two lines were made");
  const unnamed = { ...good, toJSON: () => "not an object" } as unknown as JournalEntry;
  await expect(events.publish([unnamed, bad])).rejects.toMatchObject({
    name: "RotationError",
    code: "EVENTS_FAILED",
    message: expect.stringContaining("1 of 2 failed") as string,
  });
  expect(aws.events).toHaveLength(1);
});

test("a bus that does not answer is an error, after the retries", async () => {
  const { aws, events } = await aBus();
  aws.fault = () => ({ kind: "before", code: "InternalException", status: 500 });
  await expect(events.publish(linesOf(1))).rejects.toMatchObject({ code: "EVENTS_FAILED" });
  expect(puts(aws)).toBe(3);
});

test("if one batch fails, later batches are not sent: the order is kept", async () => {
  const { aws, events } = await aBus();
  const refused = { kind: "before", code: "AccessDeniedException", status: 400 } as const;
  aws.fault = () => (puts(aws) === 2 ? refused : undefined);
  await expect(events.publish(linesOf(25))).rejects.toMatchObject({ code: "EVENTS_FAILED" });
  expect(puts(aws)).toBe(2);
  expect(aws.events).toHaveLength(10);
});
