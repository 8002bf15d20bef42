/** Breadth first, so that what is found is told in as few steps as it takes. */
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
  /** How many steps lie at most between the first state and another. */
  depth: number;
  /** Whether every state within the bounds was looked at. */
  isExhausted: boolean;
  found: Found | undefined;
  /** How many states come to which end where nothing goes wrong any longer. */
  ends: Record<string, number>;
  /** How often a state that was met before was seen to go on as it did then. */
  checked: number;
};

export type Limits = {
  statesMax: number;
  /** Has every state that is met again go on, and compares: at twice the price. */
  check?: boolean;
  /** Only what is wrong in these words is looked for. */
  only?: RegExp;
};

/** `limits`: or only how many states there may be. */
export function search(first: SearchState, bounds: Bounds, limits: Limits | number): Result {
  const all = typeof limits === "number" ? { statesMax: limits } : limits;
  return new Search(first, bounds, all).result();
}

class Search {
  readonly #first: SearchState;
  readonly #bounds: Bounds;
  readonly #limits: Limits;
  /** Nobody but keyturn changes anything. */
  readonly #isAlone: boolean;
  readonly #met = new Fingerprints();
  readonly #queue: (SearchState | undefined)[];
  /** Of each state: the one before it, by which of that one's moves, and what it comes to by itself. */
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
    this.#met.add(project(first));
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
    // Only its traces are needed from here on.
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
      const { index: there, isNew } = this.#met.add(projection);
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
      const steps = [
        ...this.#story(wrong.index),
        "from here on nothing else happens, and so it stays",
      ];
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
      if (move === undefined) throw new Error("it goes otherwise this time");
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
    throw new Error(`the projection leaves out what is read, after ${steps}`);
  }
}

/** What is wrong, as the properties have it: an invariant of ARCHITECTURE.md, or drift of our own making. */
export function isWrong(what: string): boolean {
  return /^(I\d|drift)/.test(what);
}

function listed(state: SearchState, bounds: Bounds): { moves: Move[]; isFair: boolean } {
  const { first, rest } = movesOf(state, bounds);
  return { moves: first === undefined ? rest : [first, ...rest], isFair: first !== undefined };
}
