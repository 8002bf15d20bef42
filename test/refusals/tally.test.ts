import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tallyOf, withTally } from "../../lambda/refusals/tally.ts";
import { nameOf } from "../../lambda/refusals/tally.ts";
import type { RefusedCall } from "../../lambda/inbound/refused-use.ts";
import { first } from "../inbound/cloudtrail.ts";
import { aTally, startMs } from "./collecting.ts";

const call: RefusedCall = {
  atMs: startMs,
  principal: "arn:aws:iam::111122223333:role/app",
  operation: "Decrypt",
  error: "AccessDenied",
  on: { keyId: first },
};

describe("a tally", () => {
  test("is of the key that refused, or of calls by alias and by another key", () => {
    expect(tallyOf(call)).toEqual(aTally());
    for (const on of [{ alias: "alias/orders" }, { readingByKeyId: first }]) {
      expect(tallyOf({ ...call, on })).toEqual(aTally({ subject: "alias" }));
    }
  });

  test("has one name on every version", () => {
    const others = { ...call, on: { alias: "alias/orders" }, atMs: 0 };
    expect(tallyOf(others).name).toBe(tallyOf(call).name);
    expect(nameOf("a", "b", "c")).not.toBe(nameOf("a", "bc", ""));
  });

  test("of equal calls has all their times and counts, in whatever order they arrive", () => {
    const times = fc.array(fc.nat(), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(times, (all) => {
        const [one, ...more] = all.map((atMs) => tallyOf({ ...call, atMs }));
        if (one === undefined) return;
        expect(more.reduce(withTally, one)).toMatchObject({
          firstAtMs: Math.min(...all),
          lastAtMs: Math.max(...all),
          count: all.length,
        });
      }),
    );
  });
});
