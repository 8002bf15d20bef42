/** `npm test` explores a sample; `npm run test:full` explores all cases. */
export const isFull = process.env.KEYTURN_TESTS === "full";

/** In full, all of them; otherwise `few`, evenly spread and always the same. */
export function sample<T>(all: readonly T[], few: number): T[] {
  if (isFull || all.length <= few) return [...all];
  return Array.from(
    { length: few },
    (_, index) => all[Math.floor((index * all.length) / few)] as T,
  );
}
