import fc from "fast-check";
import { expect, test } from "vitest";
import { isoOf } from "../../lambda/workflow/model/iso.ts";

test("any second from 1970 to 9999 has the format of Date", () => {
  const lastSecond = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: lastSecond }), (second) => {
      const expected = new Date(second * 1000).toISOString().replace(".000", "");
      expect(isoOf(second * 1000)).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});
