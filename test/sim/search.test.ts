/**
 * The search over the production transition function, in small scopes; `npm run search` has all.
 */
import { describe, expect, test } from "vitest";
import { beginningOf, schedules, smallScopes } from "../../sim/search/scopes.ts";
import { search } from "../../sim/search/search.ts";

const statesMax = 200_000;

describe("with the whole settle rule, the search finds nothing", () => {
  test.each(smallScopes)("in $name, searched completely", (scope) => {
    const bounds = { workers: scope.workers, without: undefined };
    const result = search(beginningOf(scope), bounds, { statesMax });
    expect(result.found).toBeUndefined();
    expect(result.isExhausted).toBe(true);
    expect(result.ends.done).toBeGreaterThan(300);
  });
});

test("states with equal projections continue alike", () => {
  const [scope] = smallScopes;
  if (scope === undefined) throw new Error("a scope was expected");
  const bounds = { workers: scope.workers, without: undefined };
  const { checked } = search(beginningOf(scope), bounds, { statesMax, check: true });
  expect(checked).toBeGreaterThan(500);
});

describe("the search for the schedule", () => {
  test.each(schedules)(
    "$name succeeds without its part of the rule",
    ({ without, wrong, scope }) => {
      const bounds = { workers: scope.workers, without };
      const { found } = search(beginningOf(scope), bounds, { statesMax, only: wrong });
      expect(found?.wrong).toMatch(wrong);
    },
  );

  test.each(schedules)("$name finds nothing with the whole rule", ({ scope }) => {
    const bounds = { workers: scope.workers, without: undefined };
    const result = search(beginningOf(scope), bounds, { statesMax });
    expect(result).toMatchObject({ found: undefined, isExhausted: true });
  });
});
