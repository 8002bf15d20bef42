/** The search over the production transition function, where it is small; `npm run search` is whole. */
import { describe, expect, test } from "vitest";
import { beginningOf, schedules, scopes } from "../sim/search/scopes.ts";
import { search } from "../sim/search/search.ts";

const statesMax = 400_000;

describe("with the whole settle rule, nothing is found", () => {
  const small = ["two rotations in a row, to the deletion", "three runs"];
  test.each(scopes.filter(({ name }) => small.includes(name)))("in $name", (scope) => {
    const bounds = { workers: scope.workers, without: undefined };
    const smaller = {
      ...scope,
      budget: { ...scope.budget, faults: Math.min(1, scope.budget.faults) },
    };
    const result = search(beginningOf(smaller), bounds, statesMax);
    expect(result).toMatchObject({ isExhausted: true, found: undefined });
    expect(result.states).toBeGreaterThan(1000);
  });
});

describe("with a part of it taken out, the schedule is found", () => {
  test.each(schedules)("$name", ({ without, scope }) => {
    const bounds = { workers: scope.workers, without };
    const { found } = search(beginningOf(scope), bounds, statesMax);
    expect(found?.wrong).toMatch(/^I\d|is deleted$/);
  });

  test.each(schedules)("$name, and not with it", ({ scope }) => {
    const bounds = { workers: scope.workers, without: undefined };
    expect(search(beginningOf(scope), bounds, 50_000).found).toBeUndefined();
  });
});
