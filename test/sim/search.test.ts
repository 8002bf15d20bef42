/** The search over the production transition function, where it is small; `npm run search` is whole. */
import { describe, expect, test } from "vitest";
import { beginningOf, schedules, smallScopes } from "../../sim/search/scopes.ts";
import { search } from "../../sim/search/search.ts";

const statesMax = 200_000;

describe("with the whole settle rule, nothing is found", () => {
  test.each(smallScopes)("in $name, searched to the end", (scope) => {
    const bounds = { workers: scope.workers, without: undefined };
    const result = search(beginningOf(scope), bounds, { statesMax });
    expect(result.found).toBeUndefined();
    expect(result.isExhausted).toBe(true);
    expect(result.ends.done).toBeGreaterThan(500);
  });
});

test("states that are taken for the same go on alike", () => {
  const [scope] = smallScopes;
  if (scope === undefined) throw new Error("a scope was expected");
  const bounds = { workers: scope.workers, without: undefined };
  const { checked } = search(beginningOf(scope), bounds, { statesMax, check: true });
  expect(checked).toBeGreaterThan(500);
});

describe("the schedule of", () => {
  test.each(schedules)("$name is found without its part", ({ without, wrong, scope }) => {
    const bounds = { workers: scope.workers, without };
    const { found } = search(beginningOf(scope), bounds, { statesMax, only: wrong });
    expect(found?.wrong).toMatch(wrong);
  });

  test.each(schedules)("$name is not found with it, nor anything else", ({ scope }) => {
    const bounds = { workers: scope.workers, without: undefined };
    const result = search(beginningOf(scope), bounds, { statesMax });
    expect(result).toMatchObject({ found: undefined, isExhausted: true });
  });
});
