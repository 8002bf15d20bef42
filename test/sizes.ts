/** `npm test` explores a part of what `npm run test:full` explores in whole. */
export const isFull = process.env.KEYTURN_TESTS === "full";

/** In full, all of them; otherwise so many, evenly spread and always the same. */
export function sample<T>(all: readonly T[], few: number): T[] {
  if (isFull || all.length <= few) return [...all];
  return Array.from(
    { length: few },
    (_, index) => all[Math.floor((index * all.length) / few)] as T,
  );
}
