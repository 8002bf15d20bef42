/** The scopes of the search: where each begins, and its budget of events. */
import { consistencyMs } from "../../lambda/workflow/model/limits.ts";
import type { Policy } from "../../lambda/workflow/model/types.ts";
import { aged, atRest, deletionPending, nothing } from "./beginning.ts";
import type { Part } from "./rule.ts";
import type { Budget, SearchState } from "./state.ts";

export type Scope = {
  name: string;
  from: "at rest" | "about to move" | "deletion pending";
  /** The approvals that the policy asks for; production accepts `none` beside `delete` of old records only. */
  approval: Policy["approval"];
  /** The most concurrent runs, without those that died or timed out. */
  workers: number;
  budget: Budget;
};

function scope(name: string, from: Scope["from"], workers: number, some: Partial<Budget>): Scope {
  const under = from === "about to move" ? 1 : 0;
  const approvals = (some.rotates ?? 0) + under;
  return { name, from, approval: "none", workers, budget: { ...nothing, approvals, ...some } };
}

/** Each destructive call needs an approval of its own. */
function twice(name: string, workers: number, some: Partial<Budget>): Scope {
  const approvals = 2 * (some.rotates ?? 0);
  return { ...scope(name, "at rest", workers, { approvals, ...some }), approval: "revoke" };
}

/** The largest first: two threads then end at about the same time. */
export const scopes: Scope[] = [
  scope("rollback and tripwire, two faults", "at rest", 2, {
    ...{ rotates: 1, faults: 2, rollbacks: 1, uses: 1 },
  }),
  scope("an external actor, rollback and tripwire", "at rest", 2, {
    ...{ rotates: 1, faults: 1, rollbacks: 1, uses: 1, outside: 1 },
  }),
  scope("two rotations and rollback", "about to move", 3, { rotates: 1, faults: 1, rollbacks: 1 }),
  scope("two rotations and tripwire, to the deletion", "at rest", 3, {
    ...{ rotates: 2, faults: 1, uses: 1 },
  }),
  scope("tripwire, rollback, and resume", "at rest", 2, {
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
  scope("an external actor, twice", "at rest", 2, { rotates: 1, faults: 1, outside: 2 }),
  twice("an approval before each call, and one too many", 2, {
    ...{ rotates: 1, faults: 1, uses: 1, approvals: 3 },
  }),
  twice("evidence overridden", 2, {
    ...{ rotates: 0, faults: 1, approvals: 2, overrides: 2 },
  }),
  scope("a caller is refused, two faults", "at rest", 2, {
    ...{ rotates: 1, faults: 2, refusals: 1, approvals: 2 },
  }),
  scope("callers are refused, rollback and tripwire", "at rest", 2, {
    ...{ rotates: 1, faults: 1, refusals: 1, rollbacks: 1, uses: 1, approvals: 2 },
  }),
  scope("a deletion without an approval is pending", "deletion pending", 2, {
    ...{ faults: 2, uses: 1, rollbacks: 1, approvals: 1 },
  }),
];

/** Further scopes, which take twice as long again (`--all`). */
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

/** Scopes small enough for a test, besides those of the schedules. */
export const smallScopes: Scope[] = [
  scope("an external actor", "at rest", 2, { rotates: 1, faults: 1, outside: 1 }),
  scope("reads that lag", "at rest", 2, { rotates: 1, lags: 1, rollbacks: 1 }),
  scope("two rotations, to the deletion", "at rest", 3, { rotates: 2, faults: 1 }),
  scope("two callers are refused", "at rest", 2, {
    ...{ rotates: 1, faults: 1, refusals: 2, approvals: 2 },
  }),
  twice("an approval before each call", 2, { rotates: 1, faults: 1, approvals: 3 }),
  scope("a deletion without an approval is pending, one fault", "deletion pending", 2, {
    ...{ faults: 1, rollbacks: 1, approvals: 1 },
  }),
];

/**
 * Only the settle rule keeps a version from becoming active at once. In scopes with lagging reads,
 * a new version propagates for five minutes, the minimum of an accepted configuration: I1 needs it
 * too.
 */
export function beginningOf({ from, budget, approval }: Scope): SearchState {
  switch (from) {
    case "about to move":
      return aged(budget);
    case "deletion pending":
      return deletionPending(budget);
    case "at rest":
      return atRest(budget, { approval, propagationMs: budget.lags > 0 ? consistencyMs : 0 });
  }
}

export type Schedule = {
  name: string;
  /** The omitted part of the rule. */
  without: Part;
  /** The violation that follows. */
  wrong: RegExp;
  scope: Scope;
};

const lost = { rotates: 1, faults: 1 };

/** The first four are the schedules of `test/settle-rule/schedules.ts`. */
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
    without: "second observation",
    wrong: /^I5: ScheduleKeyDeletion of run \d+ lands on key-1, which was restored/,
    scope: scope("tripwire", "at rest", 2, { ...lost, uses: 1 }),
  },
  {
    name: "one mark instead of a list",
    without: "list",
    wrong: /^I1: run \d+ moves the alias to key-1, which is Disabled/,
    scope: scope("one mark", "at rest", 3, { ...lost, rollbacks: 1, uses: 1 }),
  },
  {
    name: "a mark removed too early",
    without: "mark kept",
    wrong: /^I1/,
    scope: scope("mark kept", "at rest", 2, { ...lost, rollbacks: 1 }),
  },
];
