import { describe, expect, test } from "vitest";
import {
  blockedUntilMs,
  clockIsSkewed,
  isExempt,
  marked,
  settled,
  unsettledUntilMs,
} from "../../lambda/workflow/safety/settle.ts";

const minuteMs = 60_000;

describe("the settle rule", () => {
  test("a call may still become visible until deadline, request limit, skew and consistency", () => {
    expect(unsettledUntilMs(0)).toBe(10_000 + minuteMs + 5 * minuteMs);
  });

  test("an entry of another epoch blocks until it has passed", () => {
    const list = [{ epoch: 1, untilMs: 100 }];
    expect(blockedUntilMs(list, 2, false, 99)).toBe(100);
    expect(blockedUntilMs(list, 2, false, 100)).toBeUndefined();
  });

  test("an epoch's own entry does not block it, until an answer is missing", () => {
    const list = [{ epoch: 2, untilMs: 100 }];
    expect(blockedUntilMs(list, 2, false, 50)).toBeUndefined();
    expect(blockedUntilMs(list, 2, true, 50)).toBe(100);
  });

  test("the longest of several entries decides", () => {
    const list = [
      { epoch: 1, untilMs: 100 },
      { epoch: 2, untilMs: 300 },
      { epoch: 3, untilMs: 200 },
    ];
    expect(blockedUntilMs(list, 4, false, 0)).toBe(300);
  });

  test("a newer epoch's mark does not remove the older one's", () => {
    const list = marked([{ epoch: 1, untilMs: 100 }], { epoch: 2, untilMs: 50 }, 0);
    expect(blockedUntilMs(list, 2, false, 60)).toBe(100);
    expect(settled(list, 2, 60)).toEqual([{ epoch: 1, untilMs: 100 }]);
  });

  test("an epoch removes only its own entry, and expired ones", () => {
    const list = [
      { epoch: 1, untilMs: 10 },
      { epoch: 2, untilMs: 100 },
      { epoch: 3, untilMs: 100 },
    ];
    expect(settled(list, 3, 50)).toEqual([{ epoch: 2, untilMs: 100 }]);
  });

  test("only restore calls are exempt", () => {
    expect(isExempt({ kind: "EnableKey", keyId: "k" })).toBe(true);
    expect(isExempt({ kind: "DisableKey", keyId: "k" })).toBe(false);
    expect(isExempt({ kind: "UpdateAlias", alias: "alias/a", keyId: "k" })).toBe(false);
  });

  test("a wrong clock wrote a mark more than half an hour ahead", () => {
    const nowMs = 1_000_000;
    const within = [{ epoch: 1, untilMs: nowMs + 30 * minuteMs }];
    const beyond = [{ epoch: 1, untilMs: nowMs + 30 * minuteMs + 1 }];
    expect(clockIsSkewed({ unsettled: within }, nowMs)).toBe(false);
    expect(clockIsSkewed({ unsettled: beyond }, nowMs)).toBe(true);
  });
});
