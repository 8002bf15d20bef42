/** A protocol mistake: a small patch of the sources, applied to a copy of them and never shipped. */

export type Edit = {
  file: string;
  /** Must occur exactly once: a patch that no longer applies fails. */
  find: string;
  replace: string;
};

export type Mutant = {
  /** The mistake, in plain words. */
  name: string;
  edits: Edit[];
  /** Where it is hunted, and with which seed it was caught last. */
  scenario: string;
  seed: number;
  /** The invariant by which it must be caught, where another checker would catch it as well. */
  invariant?: string;
};

export function applied(text: string, { file, find, replace }: Edit): string {
  const first = text.indexOf(find);
  if (first < 0) throw new Error(`${file} has no such text: ${find}`);
  if (text.includes(find, first + 1)) throw new Error(`${file} has it more than once: ${find}`);
  return text.slice(0, first) + replace + text.slice(first + find.length);
}
