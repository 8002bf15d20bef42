/** A breadth-first search: it reports a violation in the fewest steps. */
import { endsOf, type Rests } from "./ends.ts";
import { Fingerprints, hashed } from "./fingerprints.ts";
import type { Bounds, Move } from "./move.ts";
import { movesOf } from "./moves.ts";
import { Numbers } from "./numbers.ts";
import { project } from "./projection.ts";
import { restOf, wrongAtRest } from "./properties.ts";
import type { SearchState } from "./state.ts";

export type Found = { wrong: string; steps: string[] };

export type Result = {
  states: number;
  transitions: number;
  /** The most steps from the first state to another. */
  depth: number;
  /** Whether the search visited every state within the bounds. */
  isExhausted: boolean;
  found: Found | undefined;
  /** The number of states by their end, if no further fault occurs. */
  ends: Record<string, number>;
  /** How many states that were found again had the same moves as the first time. */
  checked: number;
};

export type Limits = {
  statesMax: number;
  /** Compares the moves of every state that is found again: takes twice as long. */
  check?: boolean;
  /** Search only for violations with this text. */
  only?: RegExp;
};

/** `limits`: may be the largest number of states only. */
export function search(first: SearchState, bounds: Bounds, limits: Limits | number): Result {
  const all = typeof limits === "number" ? { statesMax: limits } : limits;
  return new Search(first, bounds, all).result();
}

class Search {
  readonly #first: SearchState;
  readonly #bounds: Bounds;
  readonly #limits: Limits;
  /** No external actor changes anything. */
  readonly #isAlone: boolean;
  readonly #known = new Fingerprints();
  readonly #queue: (SearchState | undefined)[];
  /** For each state: its predecessor, the move from there, and its own successor by `first`. */
  readonly #parents = new Numbers();
  readonly #by = new Numbers();
  readonly #next = new Numbers();
  readonly #rests: Rests = new Map();
  readonly #marks = new Map<number, number>();
  #transitions = 0;
  #checked = 0;
  #found: Found | undefined;

  constructor(first: SearchState, bounds: Bounds, limits: Limits) {
    this.#first = first;
    this.#bounds = bounds;
    this.#limits = limits;
    this.#isAlone = first.budget.outside === 0;
    this.#queue = [first];
    this.#known.add(project(first));
    this.#parents.push(-1);
    this.#by.push(-1);
  }

  result(): Result {
    const { statesMax } = this.#limits;
    let index = 0;
    while (index < this.#queue.length && this.#queue.length <= statesMax) {
      this.#expand(index);
      if (this.#found !== undefined) break;
      index += 1;
    }
    const isExhausted = index === this.#queue.length;
    const ends = isExhausted ? this.#ends() : {};
    let depth = 0;
    for (let at = index - 1; at > 0; at = this.#parents.at(at)) depth += 1;
    const [states, transitions, checked] = [this.#queue.length, this.#transitions, this.#checked];
    return { states, transitions, depth, isExhausted, found: this.#found, ends, checked };
  }

  #expand(index: number): void {
    const state = this.#queue[index];
    if (state === undefined) return;
    // From here on only its entries in the lists are needed.
    this.#queue[index] = undefined;
    const rest = restOf(state);
    if (rest !== undefined) {
      this.#rests.set(index, wrongAtRest(state, rest, this.#isAlone) ?? rest);
    }
    const { moves, isFair } = listed(state, this.#bounds);
    if (!isFair) this.#next.push(-1);
    let mark = 0;
    for (const [ordinal, move] of moves.entries()) {
      this.#transitions += 1;
      if (this.#isMeant(move.wrong)) {
        this.#found = { wrong: move.wrong, steps: [...this.#story(index), move.name] };
        return;
      }
      const projection = project(move.state);
      if (this.#limits.check === true) mark = (mark + hashed(projection)[0]) | 0;
      const { index: there, isNew } = this.#known.add(projection);
      if (ordinal === 0 && isFair) this.#next.push(there);
      if (isNew) {
        this.#queue.push(move.state);
        this.#parents.push(index);
        this.#by.push(ordinal);
      } else if (this.#marks.has(there)) this.#sameOnwards(move, there);
    }
    if (this.#limits.check === true) this.#marks.set(index, mark);
  }

  #isMeant(wrong: string | undefined): wrong is string {
    return wrong !== undefined && this.#limits.only?.test(wrong) !== false;
  }

  #ends(): Record<string, number> {
    const { ends, wrong } = endsOf(
      this.#queue.length,
      (index) => this.#next.at(index),
      this.#rests,
      (what) => isWrong(what) && this.#isMeant(what),
    );
    if (wrong !== undefined) {
      const steps = [...this.#story(wrong.index), "nothing more happens, and the state remains"];
      this.#found = { wrong: wrong.what, steps };
    }
    return ends;
  }

  /** The names of the moves that led there. */
  #story(index: number): string[] {
    const path: number[] = [];
    for (let at = index; at > 0; at = this.#parents.at(at)) path.push(this.#by.at(at));
    let state = this.#first;
    return path.reverse().map((ordinal) => {
      const move = listed(state, this.#bounds).moves[ordinal];
      if (move === undefined) throw new Error("the replay has other moves");
      state = move.state;
      return move.name;
    });
  }

  #sameOnwards({ name, state }: Move, there: number): void {
    this.#checked += 1;
    const { moves } = listed(state, this.#bounds);
    const mark = moves.reduce((sum, move) => (sum + hashed(project(move.state))[0]) | 0, 0);
    if (mark === this.#marks.get(there)) return;
    const steps = [...this.#story(this.#parents.at(there)), name].join("; ");
    throw new Error(`the projection omits a field that decides, after ${steps}`);
  }
}

/** Whether it names a violated property: an invariant, or drift by our own calls. */
export function isWrong(what: string): boolean {
  return /^(I\d|drift)/.test(what);
}

function listed(state: SearchState, bounds: Bounds): { moves: Move[]; isFair: boolean } {
  const { first, rest } = movesOf(state, bounds);
  return { moves: first === undefined ? rest : [first, ...rest], isFair: first !== undefined };
}
