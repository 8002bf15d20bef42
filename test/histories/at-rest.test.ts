import { expect, test } from "vitest";
import { atRest } from "./at-rest.ts";

test("keys at rest cost at most four requests to KMS a version and day, and report nothing", async () => {
  const { requests, findings } = await atRest(40, 10);
  expect(requests / 40 / 10).toBeGreaterThan(3);
  expect(requests / 40 / 10).toBeLessThanOrEqual(4);
  expect(findings).toBe(0);
});

test("the inspections of keys that were enrolled at one moment spread over the day", async () => {
  const all = 40 * 3;
  expect((await atRest(40, 1, 3)).busiestHour).toBeLessThanOrEqual(all / 3);
});
