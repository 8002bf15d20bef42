/** Every case that the lives' own calls give rise to, and what is wrong with one. */
import { applies, faults, play, type Case, type Ending, type FaultName } from "./case.ts";
import { lives, type Life } from "./lives.ts";

export type Reference = { life: Life; ending: Ending };

/** The lives as they are meant to be; whatever goes wrong in them is an error. */
export async function references(): Promise<Reference[]> {
  const all: Reference[] = [];
  for (const life of lives) {
    const ending = await play(life);
    const wrong = [...ending.violations, ...ending.outcomes];
    // A run that the platform had to end awaited something that no port let through.
    if (wrong.length > 0) throw new Error(`${life.name}, uninterrupted: ${wrong.join("; ")}`);
    all.push({ life, ending });
  }
  return all;
}

export function casesOf({ life, ending }: Reference): Case[] {
  const names = Object.keys(faults) as FaultName[];
  return ending.boundaries.flatMap((boundary) =>
    names
      .filter((fault) => applies(fault, boundary))
      .flatMap((fault) => ([1, 2, 3] as const).map((runs) => ({ life, boundary, fault, runs }))),
  );
}

/** How many turns it may take, once nothing can land any longer, until nothing is in doubt. */
const turnsMax = 3;

export async function deviationsOf(one: Case, { ending: meant }: Reference): Promise<string[]> {
  const ending = await play(one.life, one);
  const slow =
    ending.turnsToConverge > turnsMax ? [`in doubt for ${ending.turnsToConverge} turns`] : [];
  const other = ending.summary === meant.summary ? [] : [`ends as: ${ending.summary}`];
  return [...ending.violations, ...slow, ...other];
}

export function describeCase({ life, boundary, fault, runs }: Case): string {
  return `${life.name}, call ${boundary.index} (${boundary.operation}): ${fault}, ${runs} runs`;
}
