import { describe, expect, test } from "vitest";
import {
  keptVersions,
  keptVersionsText,
  type KeptPolicy,
} from "../../lambda/configuration/kept-versions.ts";
import { dayMs } from "../../lambda/workflow/model/limits.ts";

/** A year after each rotation, but for `lead`. */
function policy(days: number, more: Partial<KeptPolicy> = {}): KeptPolicy {
  return { retire: "disable", cryptoperiodMs: days * dayMs, leadMs: 0, propagationMs: 0, ...more };
}

const of = (count: number, one = policy(365)): KeptPolicy[] =>
  Array.from({ length: count }, () => one);

describe("the cost of the retired versions that a policy keeps", () => {
  test("grows with each rotation: a dollar a month for each version", () => {
    expect(keptVersions(of(50))).toEqual({
      retire: ["disable"],
      managedKeys: 50,
      versionsAYear: 50,
      monthlyUsd: { afterOneYear: 50, afterFiveYears: 250 },
    });
    expect(keptVersions(of(50, policy(73)))).toMatchObject({ versionsAYear: 250 });
  });

  test("counts a rotation from one activation to the next", () => {
    const early = policy(80, { leadMs: 8 * dayMs, propagationMs: dayMs });
    expect(keptVersions(of(20, early))).toMatchObject({ versionsAYear: 100 });
  });

  test("is not reported below $100 a month after five years", () => {
    expect(keptVersions([])).toBeUndefined();
    expect(keptVersions(of(19))).toBeUndefined();
    expect(keptVersions(of(20))).toMatchObject({ monthlyUsd: { afterFiveYears: 100 } });
  });

  test("is that of retained versions, too, and of no deleted one", () => {
    const retained = policy(365, { retire: "retain" });
    const deleted = policy(1, { retire: "delete" });
    expect(keptVersions(of(1000, deleted))).toBeUndefined();
    expect(keptVersions([...of(30, retained), ...of(10), ...of(1000, deleted)])).toMatchObject({
      retire: ["disable", "retain"],
      managedKeys: 40,
      monthlyUsd: { afterOneYear: 40 },
    });
  });
});

describe("the quota of 100,000 KMS keys of a Region", () => {
  test("is reached by 50,000 managed keys with their first rotation", () => {
    expect(keptVersions(of(50_000))).toMatchObject({ quotaReachedInYear: 1 });
    expect(keptVersions(of(49_999))).toMatchObject({ quotaReachedInYear: 2 });
  });

  test("is reached earlier by keys that are retired already", () => {
    expect(keptVersions(of(10_000))).toMatchObject({ quotaReachedInYear: 9 });
    expect(keptVersions(of(10_000), 60_000)).toMatchObject({ quotaReachedInYear: 4 });
    expect(keptVersions(of(10_000), 100_001)).toMatchObject({ quotaReachedInYear: 1 });
  });

  test("is nearer for managed keys whose own versions are deleted", () => {
    const deleted = of(50_000, policy(365, { retire: "delete" }));
    expect(keptVersions([...of(10_000), ...deleted])).toMatchObject({ quotaReachedInYear: 4 });
  });

  test("is not reported if it is more than ten years ahead", () => {
    expect(keptVersions(of(9091))).toHaveProperty("quotaReachedInYear", 10);
    expect(keptVersions(of(9090))).not.toHaveProperty("quotaReachedInYear");
  });
});

describe("the message", () => {
  const textOf = (policies: KeptPolicy[]): string => {
    const kept = keptVersions(policies);
    if (kept === undefined) throw new Error("nothing to report");
    return keptVersionsText(kept);
  };

  test("has the versions of a year, and the cost after one year and after five", () => {
    expect(textOf(of(400, policy(73)))).toBe(
      'retire: "disable" keeps every retired version for ever, at $1 a month each: 400 managed keys retire about 2,000 a year, $2,000 a month after one year, $10,000 a month after five (docs/policies.md#the-cost-of-retired-versions)',
    );
  });

  test("has the year in which the quota is reached, and each value of retire", () => {
    const text = textOf([...of(20_000), ...of(10_000, policy(365, { retire: "retain" }))]);
    expect(text).toContain('retire: "disable" and "retain" keep every');
    expect(text).toContain(
      "; with these keys alone, the Region reaches the quota of 100,000 KMS keys in year 3 (",
    );
  });

  test("speaks of one managed key", () => {
    expect(textOf([policy(1)])).toContain("1 managed key retires about 365 a year");
  });
});
