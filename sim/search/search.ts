/** Breadth first, so that what is found is told in as few steps as it takes. */
import { keyOf, type State } from "./state.ts";
import { movesOf, type Bounds } from "./moves.ts";
import { wrongAtRest } from "./properties.ts";

export type Found = { wrong: string; steps: string[] };

export type Result = {
  states: number;
  transitions: number;
  /** How many steps lie between the first state and the last that was looked at. */
  depth: number;
  /** Whether every state within the bounds was looked at. */
  isExhausted: boolean;
  found: Found | undefined;
};

/** Two 32-bit hashes make 53 bits: among a few million states two alike are as good as impossible. */
function fingerprint(text: string): number {
  let one = 0x811c9dc5;
  let other = 0x9e3779b9;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    one = Math.imul(one ^ code, 0x01000193);
    other = Math.imul(other ^ code, 0x85ebca6b) ^ (other >>> 13);
  }
  return (one >>> 0) * 0x200000 + ((other >>> 0) & 0x1fffff);
}

export function search(first: State, bounds: Bounds, statesMax: number): Result {
  const seen = new Set<number>([fingerprint(keyOf(first))]);
  const parents: number[] = [-1];
  const names: string[] = ["the beginning"];
  const texts = new Map<string, string>();
  const queue: (State | undefined)[] = [first];
  const depths: number[] = [0];
  let transitions = 0;
  const told = (index: number, last: string): string[] => {
    const steps = [last];
    for (let at = index; at > 0; at = parents[at] ?? -1) steps.push(names[at] ?? "");
    return steps.reverse();
  };
  for (let index = 0; index < queue.length; index++) {
    const state = queue[index];
    if (state === undefined) continue;
    // Only its traces are needed from here on.
    queue[index] = undefined;
    const depth = depths[index] ?? 0;
    const result = { states: queue.length, depth };
    const resting = wrongAtRest(state);
    if (resting !== undefined) {
      const steps = told(index, "nothing is on its way any longer");
      return { ...result, transitions, isExhausted: false, found: { wrong: resting, steps } };
    }
    if (queue.length >= statesMax) {
      return { ...result, transitions, isExhausted: false, found: undefined };
    }
    for (const move of movesOf(state, bounds)) {
      transitions += 1;
      if (move.wrong !== undefined) {
        const found = { wrong: move.wrong, steps: told(index, move.name) };
        return { ...result, transitions, isExhausted: false, found };
      }
      const mark = fingerprint(keyOf(move.state));
      if (seen.has(mark)) continue;
      seen.add(mark);
      const text = texts.get(move.name) ?? move.name;
      texts.set(text, text);
      parents.push(index);
      names.push(text);
      queue.push(move.state);
      depths.push(depth + 1);
    }
  }
  const depth = depths.at(-1) ?? 0;
  return { states: queue.length, transitions, depth, isExhausted: true, found: undefined };
}
