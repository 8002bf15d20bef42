/** Every case that the lives' own calls give rise to, and what is wrong with one. */
import { clocksOf, play, type Case, type Ending } from "./case.ts";
import { companies, type Meeting } from "./company.ts";
import { turnsMax } from "./ending.ts";
import { applies, faultNames } from "./faults.ts";
import { lives as usual, type Clocks, type Life } from "./lives.ts";
import { seldom } from "./seldom.ts";

export const lives: Life[] = [...usual, ...seldom];

export type Reference = { life: Life; clocks: Clocks; ending: Ending };

/** The lives as they are meant to be; whatever goes wrong in them is an error. */
export async function references(): Promise<Reference[]> {
  const all: Reference[] = [];
  for (const life of lives) {
    for (const clocks of ["together", "apart"] as const) {
      const ending = await play(life, clocks);
      // A run that the platform had to end awaited something that no port let through.
      const wrong = [...ending.violations, ...ending.outcomes];
      if (wrong.length > 0) throw new Error(`${life.name}, uninterrupted: ${wrong.join("; ")}`);
      all.push({ life, clocks, ending });
    }
  }
  return all;
}

/** What is done in the same place again and again, hourly for days, is interrupted so many times. */
const timesInOnePlace = 8;

export function casesOf({ life, clocks, ending }: Reference): Case[] {
  const places = Map.groupBy(ending.boundaries, ({ operation, place }) => `${operation} ${place}`);
  const boundaries = [...places.values()].flatMap((same) => same.slice(0, timesInOnePlace));
  return boundaries.flatMap((boundary) =>
    faultNames
      .filter((fault) => applies(fault, boundary.medium))
      .flatMap((fault) =>
        companies
          .filter((company) => clocksOf({ company }) === clocks)
          .filter((company) => company !== "3 runs, 1 by force" || boundary.canBeForced)
          .map((company) => ({ life, boundary, fault, company })),
      ),
  );
}

export type Judgement = { deviations: string[]; meeting: Meeting };

export async function judge(one: Case, { clocks, ending: meant }: Reference): Promise<Judgement> {
  const ending = await play(one.life, clocks, one);
  const { turnsInDoubt, settled } = ending.convergence;
  const deviations = [...ending.violations];
  if (turnsInDoubt > turnsMax) deviations.push(`in doubt for ${turnsInDoubt} turns`);
  const isForced = one.company === "3 runs, 1 by force";
  // Where a use attempt comes sooner or later, the rotation is over by then, or goes on.
  if (!isForced) {
    if (ending.closed !== meant.closed) deviations.push(`${ending.closed} closed rotations`);
    const strange = [...settled].filter((state) => !meant.convergence.passage.has(state));
    for (const state of strange) deviations.push(`is for long: ${state}`);
  }
  const endings = [meant, ...(isForced ? [await forced(one, clocks)] : [])];
  if (endings.every(({ state }) => state !== ending.state)) {
    deviations.push(`ends as: ${ending.state}`);
  } else if (endings.every(({ leftovers }) => leftovers !== ending.leftovers)) {
    deviations.push(`leaves in the table: ${ending.leftovers}`);
  }
  return { deviations, meeting: ending.meeting };
}

const lastForced: { key: string; ending?: Ending } = { key: "" };

/** The same attempt at the same moment, without the fault: whatever fault comes next, it is the same. */
async function forced({ life, boundary, company }: Case, clocks: Clocks): Promise<Ending> {
  const key = `${life.name} ${boundary.index}`;
  if (lastForced.key !== key || lastForced.ending === undefined) {
    lastForced.ending = await play(life, clocks, { life, boundary, company });
    lastForced.key = key;
  }
  return lastForced.ending;
}

export function describeCase({ life, boundary, fault, company }: Case): string {
  return `${life.name}, call ${boundary.index} (${boundary.operation}): ${fault ?? "no fault"}, ${company}`;
}
