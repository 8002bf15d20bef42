import { describe, expect, test } from "vitest";
import {
  clockIsSkewed,
  isExempt,
  leftUnsettled,
  marked,
  mayStillLand,
  settled,
} from "../../lambda/workflow/safety/settle.ts";

const minuteMs = 60_000;

describe("an epoch's mark", () => {
  test("replaces its earlier one", () => {
    const list = marked([{ epoch: 2, untilMs: 50 }], { epoch: 2, untilMs: 80 }, 0);
    expect(list).toEqual([{ epoch: 2, untilMs: 80 }]);
  });

  test("removes expired marks from the list, to the millisecond", () => {
    const before = [
      { epoch: 1, untilMs: 10 },
      { epoch: 2, untilMs: 11 },
    ];
    const own = { epoch: 3, untilMs: 80 };
    expect(marked(before, own, 10)).toEqual([{ epoch: 2, untilMs: 11 }, own]);
    expect(settled(before, 3, 10)).toEqual([{ epoch: 2, untilMs: 11 }]);
  });

  const list = [
    { epoch: 1, untilMs: 100 },
    { epoch: 2, untilMs: 200 },
  ];

  test("stays where a call of its pass has no answer", () => {
    expect(leftUnsettled(list, 2, true, 0)).toEqual(list);
    expect(leftUnsettled(list, 2, false, 0)).toEqual([{ epoch: 1, untilMs: 100 }]);
  });

  test("covers only its epoch's calls, until it expires", () => {
    expect(mayStillLand(list, 1, 99)).toBe(true);
    expect(mayStillLand(list, 1, 100)).toBe(false);
    expect(mayStillLand(list, 3, 0)).toBe(false);
  });
});

test("only the two restore calls are exempt from waiting", () => {
  expect(isExempt({ kind: "CancelKeyDeletion", keyId: "k" })).toBe(true);
  expect(isExempt({ kind: "EnableKey", keyId: "k" })).toBe(true);
  expect(isExempt({ kind: "UntagResource", keyId: "k", names: [] })).toBe(false);
});

describe("a clock is wrong", () => {
  const nowMs = 1_000_000;
  const beyondMs = nowMs + 30 * minuteMs + 1;

  test("where one mark of several is too far ahead", () => {
    const unsettled = [
      { epoch: 1, untilMs: nowMs },
      { epoch: 2, untilMs: beyondMs },
    ];
    expect(clockIsSkewed({ unsettled }, nowMs)).toBe(true);
  });

  test("where the claim is too far ahead", () => {
    const claim = { runId: "run", epoch: 1, untilMs: beyondMs };
    expect(clockIsSkewed({ unsettled: [], claim }, nowMs)).toBe(true);
    expect(
      clockIsSkewed({ unsettled: [], claim: { ...claim, untilMs: beyondMs - 1 } }, nowMs),
    ).toBe(false);
  });
});
