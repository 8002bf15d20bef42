/** Where every state comes to, if from there on nothing goes wrong and nobody does anything. */

/** By the number of a state that rests: "done", what a person is told of, or what is wrong with it. */
export type Rests = Map<number, string>;

export type Wrong = { index: number; what: string };

const forever = "I7: it goes on for ever, and nobody is told";

/**
 * Follows each state along `next` until all is done, or into a circle: there it stays. It counts as
 * ended if a person is told of something in it; else as stuck. `wrong` is the first that ends wrong.
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
    const circle = known === underWay ? path.slice(path.indexOf(at)) : [at];
    const name = known > 0 ? (names[known - 1] ?? "") : endOf(circle, rests, isWrong);
    let number = names.indexOf(name) + 1;
    if (number === 0) number = names.push(name);
    if (isWrong(name)) wrong ??= { index: start, what: name };
    for (const passed of path) ended[passed] = number;
    counts[number] = (counts[number] ?? 0) + path.length;
  }
  const movedOn = names.map((name, index): [string, number] => [name, counts[index + 1] ?? 0]);
  return { ends: Object.fromEntries(movedOn.sort((a, b) => b[1] - a[1])), wrong };
}

function endOf(circle: number[], rests: Rests, isWrong: (what: string) => boolean): string {
  const movedOn = circle.flatMap((index) => rests.get(index) ?? []);
  return movedOn.find(isWrong) ?? movedOn[0] ?? forever;
}
