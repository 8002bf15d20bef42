/**
 * The settle rule is safe on four schedules. Each schedule fails without its part of the rule: the
 * test loads production with that part of `settle.ts` replaced.
 */
import { afterEach, describe, expect, test, vi } from "vitest";
import type * as settle from "../../lambda/workflow/safety/settle.ts";
import type { Unsettled } from "../../lambda/workflow/model/types.ts";
import {
  rollback,
  tripwire,
  twoEpochs,
  twoRotations,
  type Outcome,
  type Worlds,
} from "./schedules.ts";

type Rule = typeof settle;
type Schedule = (worlds: Worlds) => Promise<Outcome>;

/** No run waits for the entry of another epoch. */
const nothingWaits = { blockedUntilMs: () => undefined };
/** One mark instead of the list: the newer epoch's mark replaces the older one's. */
const oneMark = { marked: (_list: Unsettled[], own: Unsettled) => [own] };

async function play(schedule: Schedule, without: Partial<Rule> = {}): Promise<Outcome> {
  vi.resetModules();
  vi.doMock("../../lambda/workflow/safety/settle.ts", async (original) => ({
    ...(await original<Rule>()),
    ...without,
  }));
  return schedule(await import("../world.ts"));
}

afterEach(() => {
  vi.doUnmock("../../lambda/workflow/safety/settle.ts");
  vi.resetModules();
});

describe.each<[name: string, schedule: Schedule, part: Partial<Rule>, broken: Partial<Outcome>]>([
  ["two rotations", twoRotations, nothingWaits, { decisive: false }],
  ["rollback", rollback, nothingWaits, { decisive: false }],
  ["tripwire", tripwire, nothingWaits, { inTheEnd: false }],
  ["one mark for two epochs", twoEpochs, oneMark, { decisive: false }],
])("the schedule of %s", (_, schedule, part, broken) => {
  test("is safe with the settle rule", async () => {
    expect(await play(schedule)).toEqual({ decisive: true, inTheEnd: true });
  });

  test("fails without its part of the rule", async () => {
    expect(await play(schedule, part)).toMatchObject(broken);
  });
});
