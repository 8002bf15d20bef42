/** A protocol mistake: a small patch of the sources, applied to a copy and never shipped. */

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
  /** The world of the hunt, and the seed that caught the mutant last. */
  scenario: string;
  seed: number;
  /** The invariant that must catch it, if another checker would catch it as well. */
  invariant?: string;
};

export function applied(text: string, { file, find, replace }: Edit): string {
  const first = text.indexOf(find);
  if (first < 0) throw new Error(`${file} does not contain: ${find}`);
  if (text.includes(find, first + 1)) throw new Error(`${file} contains more than once: ${find}`);
  return text.slice(0, first) + replace + text.slice(first + find.length);
}
