/** Bar 5 of issue 19 in small; `npm run bench:refusals` measures an hour. */
import { describe, expect, test } from "vitest";
import { measure } from "./load.ts";
import { eventSource, poll, queued, type EventSource } from "./queue.ts";

const load = { seconds: 65, perSecond: 1000, keys: 50, source: eventSource };

test("a thousand refused events a second of unmanaged keys cost no line and one read a key and minute", async () => {
  const { lines, failed, invocations, reads, otherRequests } = await measure(load);
  expect({ lines, failed, otherRequests }).toEqual({ lines: 0, failed: 0, otherRequests: 0 });
  expect(invocations).toBeLessThanOrEqual(load.seconds);
  expect(reads).toBeLessThanOrEqual(load.keys * 2);
  expect(reads).toBeGreaterThan(load.keys);
});

describe("the queue's model", () => {
  const batchesOf = async (source: Partial<EventSource>, seconds: number, perSecond: number) => {
    const message = queued("{}", 1);
    const batches: { at: number; messages: number }[] = [];
    await poll(
      { ...eventSource, pollers: 1, ...source },
      seconds,
      () => Array.from({ length: perSecond }, () => message),
      (payload, at) => {
        const { Records } = JSON.parse(payload) as { Records: unknown[] };
        batches.push({ at, messages: Records.length });
        return Promise.resolve();
      },
    );
    return batches;
  };

  test("sends what came in its window, and the rest at the end", async () => {
    expect(await batchesOf({ windowSeconds: 20 }, 50, 2)).toEqual([
      { at: 19, messages: 40 },
      { at: 39, messages: 40 },
      { at: 50, messages: 20 },
    ]);
  });

  test("sends a batch early where it is full, by messages or by bytes", async () => {
    const full = await batchesOf({ batchSize: 10 }, 1, 25);
    expect(full.map(({ messages }) => messages)).toEqual([10, 10, 5]);
    const { bytes } = queued("{}", 1);
    const heavy = await batchesOf({ payloadBytes: 30 + 10 * bytes }, 1, 25);
    expect(heavy.map(({ messages }) => messages)).toEqual([10, 10, 5]);
  });

  test("has five pollers that divide the messages", async () => {
    const batches = await batchesOf({ pollers: 5, windowSeconds: 20 }, 100, 10);
    expect(batches.reduce((sum, { messages }) => sum + messages, 0)).toBe(1000);
    expect(batches.length).toBeGreaterThanOrEqual(25);
    expect(batches.length).toBeLessThanOrEqual(30);
  });
});
