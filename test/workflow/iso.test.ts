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

test("the leap day that ends a period of four centuries is a day of its own", () => {
  expect(isoOf(Date.UTC(2000, 1, 29, 12))).toBe("2000-02-29T12:00:00Z");
  expect(isoOf(Date.UTC(2000, 2, 1))).toBe("2000-03-01T00:00:00Z");
});
