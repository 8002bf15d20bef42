/** One thing that can happen in a state. */
import type { Part } from "./rule.ts";
import type { Budget, State } from "./state.ts";

/** `wrong`: what the move has broken. */
export type Move = { name: string; state: State; wrong?: string };

export type Bounds = { workers: number; without: Part | undefined };

export function spend(state: State, what: keyof Budget): State {
  return { ...state, budget: { ...state.budget, [what]: state.budget[what] - 1 } };
}
