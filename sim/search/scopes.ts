/** What is searched, each to its end: where it begins, and how much of everything may happen in it. */
import { consistencyMs } from "../../lambda/workflow/model/limits.ts";
import { aged, atRest, nothing } from "./beginning.ts";
import type { Part } from "./rule.ts";
import type { Budget, SearchState } from "./state.ts";

export type Scope = {
  name: string;
  from: "at rest" | "about to move";
  /** How many runs may be under way at once, besides those that died or gave up. */
  workers: number;
  budget: Budget;
};

function scope(name: string, from: Scope["from"], workers: number, some: Partial<Budget>): Scope {
  return { name, from, workers, budget: { ...nothing, ...some } };
}

/** The largest first, so that two threads are done at about the same time. */
export const scopes: Scope[] = [
  scope("rollback and tripwire, two faults", "at rest", 2, {
    ...{ rotates: 1, faults: 2, rollbacks: 1, uses: 1 },
  }),
  scope("a person outside, rollback and tripwire", "at rest", 2, {
    ...{ rotates: 1, faults: 1, rollbacks: 1, uses: 1, outside: 1 },
  }),
  scope("two rotations and rollback", "about to move", 3, { rotates: 1, faults: 1, rollbacks: 1 }),
  scope("two rotations and tripwire, to the deletion", "at rest", 3, {
    ...{ rotates: 2, faults: 1, uses: 1 },
  }),
  scope("tripwire, rollback, and on again", "at rest", 2, {
    ...{ rotates: 1, faults: 1, rollbacks: 1, uses: 1, resumes: 1 },
  }),
  scope("reads that lag, rollback and tripwire", "at rest", 2, {
    ...{ rotates: 1, lags: 2, rollbacks: 1, uses: 1 },
  }),
  scope("reads that lag, a fault, rollback", "at rest", 2, {
    ...{ rotates: 1, faults: 1, lags: 1, rollbacks: 1 },
  }),
  scope("tripwire twice, three runs", "at rest", 3, { rotates: 1, faults: 1, uses: 2 }),
  scope("two rotations, two faults", "at rest", 3, { rotates: 2, faults: 2 }),
  scope("a person outside, twice", "at rest", 2, { rotates: 1, faults: 1, outside: 2 }),
];

/** What takes twice as long again (`--all`). */
export const furtherScopes: Scope[] = [
  scope("two rotations and rollback, two faults", "about to move", 2, {
    ...{ rotates: 1, faults: 2, rollbacks: 1 },
  }),
  scope("reads that lag, a fault, rollback and tripwire", "at rest", 2, {
    ...{ rotates: 1, faults: 1, lags: 1, rollbacks: 1, uses: 1 },
  }),
  scope("two rotations, rollback and tripwire", "about to move", 2, {
    ...{ rotates: 1, faults: 1, rollbacks: 1, uses: 1 },
  }),
  scope("tripwire twice, two faults, three runs", "at rest", 3, { rotates: 1, faults: 2, uses: 2 }),
];

/** Small enough for a test, besides those of the schedules. */
export const smallScopes: Scope[] = [
  scope("a person outside", "at rest", 2, { rotates: 1, faults: 1, outside: 1 }),
  scope("reads that lag", "at rest", 2, { rotates: 1, lags: 1, rollbacks: 1 }),
  scope("two rotations, to the deletion", "at rest", 3, { rotates: 2, faults: 1 }),
];

/**
 * Nothing but the settle rule keeps a version from serving at once; but where reads lag, a new version
 * propagates for the five minutes that no accepted configuration goes below: they bear upon I1 too.
 */
export function beginningOf({ from, budget }: Scope): SearchState {
  if (from === "about to move") return aged(budget);
  return atRest(budget, budget.lags > 0 ? consistencyMs : 0);
}

export type Schedule = {
  name: string;
  /** The part of the rule that is left out. */
  without: Part;
  /** What comes of that. */
  wrong: RegExp;
  scope: Scope;
};

const lost = { rotates: 1, faults: 1 };

/** The first four are those that the settle rule prevents. */
export const schedules: Schedule[] = [
  {
    name: "two rotations",
    without: "waiting",
    wrong: /^I2: DisableKey of run \d+ lands on key-2, where the alias is/,
    scope: scope("two rotations", "about to move", 2, lost),
  },
  {
    name: "rollback",
    without: "waiting",
    wrong: /^I1: run \d+ moves the alias to key-1, which is Disabled/,
    scope: scope("rollback", "at rest", 2, { ...lost, rollbacks: 1 }),
  },
  {
    name: "tripwire",
    without: "second look",
    wrong: /^I5: ScheduleKeyDeletion of run \d+ lands on key-1, which was given back/,
    scope: scope("tripwire", "at rest", 2, { ...lost, uses: 1 }),
  },
  {
    name: "one mark in place of a list",
    without: "list",
    wrong: /^I1: run \d+ moves the alias to key-1, which is Disabled/,
    scope: scope("one mark", "at rest", 3, { ...lost, rollbacks: 1, uses: 1 }),
  },
  {
    name: "a mark taken off too early",
    without: "mark kept",
    wrong: /^I1/,
    scope: scope("mark kept", "at rest", 2, { ...lost, rollbacks: 1 }),
  },
];
