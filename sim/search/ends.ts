/** Where every state ends if no more faults or external changes occur. */

/** By the number of a state at rest: "done", the code of a finding, or the property it violates. */
export type Rests = Map<number, string>;

export type Wrong = { index: number; what: string };

const forever = "I7: it never comes to rest, and no finding reports it";

/**
 * Follows `next` from each state until all work is done, or into a cycle. A cycle counts as ended
 * if a finding reports something in it, otherwise as stuck. `wrong`: the first state that ends
 * wrong.
 */
export function endsOf(
  states: number,
  next: (index: number) => number,
  rests: Rests,
  isWrong: (what: string) => boolean,
): { ends: Record<string, number>; wrong: Wrong | undefined } {
  const names: string[] = [];
  const counts: number[] = [];
  const ended = new Int16Array(states);
  const underWay = -1;
  let wrong: Wrong | undefined;
  for (let start = 0; start < states; start++) {
    const path: number[] = [];
    let at = start;
    while (ended[at] === 0 && rests.get(at) !== "done" && next(at) >= 0) {
      ended[at] = underWay;
      path.push(at);
      at = next(at);
    }
    if (ended[at] === 0) path.push(at);
    const known = ended[at] ?? 0;
    const cycle = known === underWay ? path.slice(path.indexOf(at)) : [at];
    const name = known > 0 ? (names[known - 1] ?? "") : endOf(cycle, rests, isWrong);
    let number = names.indexOf(name) + 1;
    if (number === 0) number = names.push(name);
    if (isWrong(name)) wrong ??= { index: start, what: name };
    for (const passed of path) ended[passed] = number;
    counts[number] = (counts[number] ?? 0) + path.length;
  }
  const counted = names.map((name, index): [string, number] => [name, counts[index + 1] ?? 0]);
  return { ends: Object.fromEntries(counted.sort((a, b) => b[1] - a[1])), wrong };
}

function endOf(cycle: number[], rests: Rests, isWrong: (what: string) => boolean): string {
  const ends = cycle.flatMap((index) => rests.get(index) ?? []);
  return ends.find(isWrong) ?? ends[0] ?? forever;
}
