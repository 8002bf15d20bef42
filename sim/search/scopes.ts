/** What is searched, each to its end: where it begins, and how much of everything may happen in it. */
import { aged, atRest, nothing } from "./beginning.ts";
import type { Part } from "./rule.ts";
import type { Budget, State } from "./state.ts";

export type Scope = {
  name: string;
  from: "at rest" | "about to move";
  workers: number;
  budget: Budget;
};

function scope(name: string, from: Scope["from"], workers: number, some: Partial<Budget>): Scope {
  return { name, from, workers, budget: { ...nothing, ...some } };
}

/** The largest first, so that two threads are done at about the same time. */
export const scopes: Scope[] = [
  scope("rollback and tripwire", "at rest", 2, { rotates: 1, faults: 1, rollbacks: 1, uses: 1 }),
  scope("a mover outside, and rollback", "at rest", 2, {
    rotates: 1,
    faults: 1,
    rollbacks: 1,
    outside: 1,
  }),
  scope("tripwire, and two faults", "at rest", 3, { rotates: 1, faults: 2, uses: 1 }),
  scope("tripwire, and on again", "at rest", 2, { rotates: 1, faults: 1, uses: 1, resumes: 1 }),
  scope("two rotations in a row, to the deletion", "at rest", 3, { rotates: 2, faults: 2 }),
  scope("two rotations, the second at once", "about to move", 3, { rotates: 1, faults: 2 }),
  scope("two rotations and rollback", "about to move", 2, { rotates: 1, faults: 1, rollbacks: 1 }),
  scope("three runs", "at rest", 3, { rotates: 1, faults: 0, uses: 2 }),
];

export function beginningOf({ from, budget }: Scope): State {
  return from === "at rest" ? atRest(budget) : aged(budget);
}

/** The schedules of design.md: what breaks where that part of the settle rule is out, and its bounds. */
export const schedules: { name: string; without: Part; scope: Scope }[] = [
  {
    name: "two rotations",
    without: "waiting",
    scope: scope("two rotations", "about to move", 2, { rotates: 1, faults: 1 }),
  },
  {
    name: "rollback",
    without: "waiting",
    scope: scope("rollback", "at rest", 2, { rotates: 1, faults: 1, rollbacks: 1 }),
  },
  {
    name: "tripwire",
    without: "second look",
    scope: scope("tripwire", "at rest", 2, { rotates: 1, faults: 1, uses: 1 }),
  },
  {
    name: "one mark for two epochs",
    without: "list",
    scope: scope("one mark", "at rest", 3, { rotates: 1, faults: 1, rollbacks: 1, uses: 1 }),
  },
  {
    name: "on after one's own doubt",
    without: "own doubt",
    scope: scope("own doubt", "at rest", 2, { rotates: 1, faults: 1, rollbacks: 1 }),
  },
  {
    name: "a mark taken off too early",
    without: "mark kept",
    scope: scope("mark kept", "at rest", 2, { rotates: 1, faults: 1, rollbacks: 1 }),
  },
];
