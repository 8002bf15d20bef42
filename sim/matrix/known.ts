/** What deviates and is known: played each time, so that a mended one is taken off here. */
import { play } from "./case.ts";
import { kept, read, rotated, type Clocks, type Life } from "./lives.ts";
import { makeInExcess } from "./seldom.ts";

const hourMs = 3_600_000;

export type Known = { life: Life; clocks: Clocks; violation: string; why: string };

export const known: Known[] = [
  {
    life: {
      name: "a key in excess of one that is halted",
      retire: "disable",
      horizonMs: 9 * 24 * hourMs,
      acts: [
        kept,
        rotated,
        { afterMs: 6 * hourMs, act: makeInExcess },
        { afterMs: 9 * hourMs, act: read },
      ],
    },
    clocks: "apart",
    violation: "no orphan",
    why: "the audit hands it over each hour, in the run in which the halted key has its hourly turn",
  },
];

/** Each with whether it is still so. */
export async function stillKnown(): Promise<{ one: Known; isSo: boolean }[]> {
  const told: { one: Known; isSo: boolean }[] = [];
  for (const one of known) {
    const { violations } = await play(one.life, one.clocks);
    const others = violations.filter((what) => !what.startsWith(one.violation));
    if (others.length > 0) throw new Error(`${one.life.name}: ${others.join("; ")}`);
    told.push({ one, isSo: violations.length > 0 });
  }
  return told;
}
