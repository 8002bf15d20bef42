/** A sample of `npm run kill-sweep`, which kills at every request of a history. */
import { expect, test } from "vitest";
import { SimRandom } from "../../embedded-aws/random.ts";
import { sample } from "../sizes.ts";
import { keyFoundLate, oneKey } from "./histories.ts";
import {
  casesOf,
  casesOfGenerate,
  describeVerdict,
  referenceOf,
  verdictOn,
  type Case,
} from "./sweep.ts";

const random = new SimRandom(20_27);
const reference = await referenceOf(oneKey);

function someOf(cases: Case[], count: number): Case[] {
  const left = [...cases];
  const draw = (): Case[] => left.splice(Math.floor(random.next() * left.length), 1);
  return Array.from({ length: count }, draw).flat();
}

const all = casesOf(reference);
const changingCalls = all.filter(({ operation }) =>
  /^kms (Create|Update|Tag|Enable|Disable|Schedule)/.test(operation),
);
/**
 * A deleted key leaves its binding too: all DeleteItem calls except for a tick's last, the run
 * claim.
 */
const unbinding = all.filter(({ operation, tick, kill }) => {
  const last = kill.request === reference.ticks[tick]?.operations.length;
  return operation === "dynamodb DeleteItem" && !last;
});
const others = all.filter((one) => ![...changingCalls, ...unbinding].includes(one));
const cases = sample([...changingCalls, ...unbinding, ...someOf(others, 6)], 6);

test.concurrent.each(
  cases.map((one, index): [when: string, operation: string, tick: number, Case, number] => [
    one.kill.when,
    one.operation,
    one.tick,
    one,
    index + 2,
  ]),
)(
  "the next ticks repair a tick killed %s %s (tick %i)",
  { timeout: 600_000 },
  async (_when, _operation, _tick, one, seed) => {
    const verdict = await verdictOn(reference, one, seed);
    expect(verdict.case.operation).toBe(one.operation);
    expect(verdict.deviations.length === 0 ? "" : describeVerdict(verdict)).toBe("");
  },
);

/** From CreateKey until the record has the new version; keyturn writes the binding first. */
const late = await referenceOf(keyFoundLate);
const making = casesOfGenerate(late).filter(({ tick, kill }) => {
  const made = late.ticks[tick]?.operations.indexOf("kms CreateKey") ?? 0;
  return kill.request > made && kill.request <= made + 3;
});

test.concurrent.each(
  sample(making, 2).map((one, index): [when: string, operation: string, Case, number] => [
    one.kill.when,
    one.operation,
    one,
    index + 2,
  ]),
)(
  "a tick killed %s %s, with a new key that no lookup finds for a day: adopted or quarantined",
  { timeout: 600_000 },
  async (_when, _operation, one, seed) => {
    const verdict = await verdictOn(late, one, seed);
    expect(verdict.deviations.length === 0 ? "" : describeVerdict(verdict)).toBe("");
  },
);

test("the cases have every kind of changing call, before and after it is applied", () => {
  const kinds = new Set(changingCalls.map(({ operation, kill }) => `${kill.when} ${operation}`));
  const calls = [
    ...["CreateKey", "CreateGrant", "UpdateAlias", "TagResource", "DisableKey"],
    "ScheduleKeyDeletion",
  ];
  const expected = calls.flatMap((call) => [`before kms ${call}`, `after kms ${call}`]);
  expect([...kinds].sort()).toEqual(expected.sort());
});
