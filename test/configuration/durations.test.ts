import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../lambda/configuration/durations.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

describe("durations", () => {
  it("parse to the value that was formatted", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5_256_000 }), (minutes) => {
        expect(parseDuration(formatDuration(minutes * 60_000))).toBe(minutes * 60_000);
      }),
    );
  });

  it("are the number times the unit", () => {
    const units = { m: 60_000, h: hourMs, d: dayMs };
    const unit = fc.constantFrom("m" as const, "h" as const, "d" as const);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999 }), unit, (count, letter) => {
        expect(parseDuration(`${count}${letter}`)).toBe(count * units[letter]);
      }),
    );
  });

  it.each(["", "d", "-1d", "+1d", "1.5h", "01d", " 1d", "1d ", "1 d", "1w", "1D", "1d1h", "٣d"])(
    "reject %j",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it("cannot format fractions of a minute or negative values", () => {
    expect(() => formatDuration(59_999)).toThrow(RangeError);
    expect(() => formatDuration(-60_000)).toThrow(RangeError);
    expect(() => formatDuration(Number.NaN)).toThrow(RangeError);
  });
});
