/** One thing that can happen in a state. */
import type { Part } from "./rule.ts";
import type { Budget, SearchState } from "./state.ts";

/** `wrong`: the property that the move violates. */
export type Move = { name: string; state: SearchState; wrong?: string };

export type Bounds = { workers: number; without: Part | undefined };

export function spend(state: SearchState, what: keyof Budget): SearchState {
  return { ...state, budget: { ...state.budget, [what]: state.budget[what] - 1 } };
}
