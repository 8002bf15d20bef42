/** Without external changes, a forecast comes true, from every stage of a history. */
import { describe, expect, test } from "vitest";
import { forecast } from "../../cli/forecast/forecast.ts";
import type { ForecastEvent } from "../../cli/forecast/planned.ts";
import { nothingKnown } from "../../cli/forecast/refusals.ts";
import { dayMs, hourMs } from "../fixtures.ts";
import { sample } from "../sizes.ts";
import { aWorld, type World, type WorldOptions } from "../world.ts";

const orders = "alias/orders";
const daysAhead = 100;
/** Passes take place on schedule; an event that waits for several passes is late each time. */
const toleranceMs = 4 * hourMs;

type Event = { atMs: number; event: string };

async function forecastIn(world: World, refused = nothingKnown): Promise<ForecastEvent[]> {
  const stored = await world.table.read(orders);
  if (stored === undefined) throw new Error("there is no record");
  const nowMs = world.clock.nowMs();
  const untilMs = nowMs + daysAhead * dayMs;
  const requests = await world.table.requests(orders);
  const { planned, truncated } = await forecast(stored, { nowMs, untilMs, requests, refused });
  expect(truncated).toBe(false);
  return planned;
}

/** Events about findings depend on the state of KMS, which a forecast does not know. */
const notForecast = ["findings-opened", "findings-closed", "evidence-read", "request-rejected"];

function comparable(events: Event[], untilMs: number): Event[] {
  return events
    .filter(({ event, atMs }) => !notForecast.includes(event) && atMs <= untilMs)
    .map(({ event, atMs }) => ({ event, atMs }));
}

async function comesTrue(world: World, reported: ForecastEvent[]): Promise<void> {
  const fromMs = world.clock.nowMs();
  const known = world.table.journal(orders).length;
  await world.passDays(daysAhead);
  const came = world.table.journal(orders).slice(known);
  // Events forecast for the last hours may come after them.
  const untilMs = fromMs + daysAhead * dayMs - toleranceMs;
  const expected = comparable(reported, untilMs);
  const actual = comparable(came, world.clock.nowMs()).slice(0, expected.length);
  expect(actual.map(({ event }) => event)).toEqual(expected.map(({ event }) => event));
  for (const [index, { atMs, event }] of expected.entries()) {
    const lateMs = (actual[index]?.atMs ?? 0) - atMs;
    expect({ event, index, off: Math.abs(lateMs) <= toleranceMs ? 0 : lateMs / hourMs }).toEqual({
      event,
      index,
      off: 0,
    });
  }
  expect(world.errors).toEqual([]);
}

const undisturbed: Record<string, WorldOptions> = {
  "that deletes old versions": { policy: { retire: "delete" } },
  "that disables them": {},
  "that retains them": { policy: { retire: "retain" } },
  "that originates only through its alias": { policy: { originate: "alias-only" } },
  "with two aliases": { aliases: { [orders]: ["alias/orders-eu"] } },
  "that waits for approval": { policy: { approval: "revoke", retire: "delete" } },
  "with a dependent": { dependents: ["search"] },
};

const stages = Object.entries(undisturbed).flatMap(([what, options]) =>
  [1, 83.005, 100, 126].map((day) => ({ what, day, options })),
);

describe("a forecast comes true of a managed key", () => {
  test.each(sample(stages, 11))("$what, on day $day", async ({ day, options }) => {
    // A forecast knows of no approval to come.
    const world = await aWorld({ ...options, approves: false });
    await world.pass(day * dayMs);
    const reported = await forecastIn(world);
    const halted = (await world.findings()).includes("DEPENDENT_NOT_READY");
    expect(reported.length === 0).toBe(halted);
    await comesTrue(world, reported);
  });
});

const asked: [string, number, Record<string, unknown>][] = [
  ["rotate", 20, {}],
  ["rotate", 100, {}],
  ["rollback", 100, { version: 2 }],
  ["rollback", 118, { version: 2 }],
  ["rollback", 138, { version: 2 }],
  ["compromised", 20, { version: 1 }],
  ["compromised", 100, { version: 1 }],
  ["pause", 100, {}],
  ["un-enrol", 100, { confirm: orders }],
];

test.each(sample(asked, 5))("the effect of %s, requested on day %d", async (kind, day, fields) => {
  const world = await aWorld({ policy: { retire: "delete" }, approves: false });
  await world.passDays(day);
  // The forecast assumes that a version is in use until it is retired.
  await world.ask("Encrypt", { KeyId: orders, Plaintext: Buffer.from("a") });
  world.request(kind, fields);
  const reported = await forecastIn(world);
  expect(reported.length).toBeGreaterThan(0);
  await comesTrue(world, reported);
});

test("of a key that is not enrolled yet, it has only the answer to the request", async () => {
  const world = await aWorld();
  await world.passDays(2);
  await world.asks("un-enrol", { confirm: orders });
  await world.passDays(1);
  world.request("resume");
  const stored = await world.table.read(orders);
  if (stored === undefined) throw new Error("there is no record");
  const nowMs = world.clock.nowMs();
  const requests = await world.table.requests(orders);
  const reported = await forecast(stored, {
    nowMs,
    untilMs: nowMs + dayMs,
    requests,
    refused: nothingKnown,
  });
  expect(reported.planned.map(({ event }) => event)).toEqual(["re-enrolled"]);
  expect(reported.waitsFor).toEqual([]);
});
