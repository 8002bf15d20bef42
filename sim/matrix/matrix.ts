/** All cases, from the calls of the histories, and the deviations of one case. */
import { clocksOf, play, type Case, type Finish } from "./case.ts";
import { concurrentRunsAll, type Meeting } from "./concurrent-runs.ts";
import { passesMax } from "./convergence.ts";
import { applies, faultNames } from "./faults.ts";
import { histories as usual, type Clocks, type History } from "./histories.ts";
import { rareSteps } from "./rare-steps.ts";

export const histories: History[] = [...usual, ...rareSteps];

export type Reference = { history: History; clocks: Clocks; finish: Finish };

/** The histories without a fault; any violation in them is an error. */
export async function references(): Promise<Reference[]> {
  const all: Reference[] = [];
  for (const history of histories) {
    for (const clocks of ["together", "apart"] as const) {
      const finish = await play(history, clocks);
      // A run that the platform had to end awaited something outside of the ports.
      const wrong = [...finish.violations, ...finish.outcomes];
      if (wrong.length > 0) throw new Error(`${history.name}, uninterrupted: ${wrong.join("; ")}`);
      all.push({ history, clocks, finish });
    }
  }
  return all;
}

/** How often a call that repeats in the same place, hourly for days, is interrupted. */
const timesInOnePlace = 8;

export function casesOf({ history, clocks, finish }: Reference): Case[] {
  const places = Map.groupBy(finish.boundaries, ({ operation, place }) => `${operation} ${place}`);
  const boundaries = [...places.values()].flatMap((same) => same.slice(0, timesInOnePlace));
  return boundaries.flatMap((boundary) =>
    faultNames
      .filter((fault) => applies(fault, boundary.medium))
      .flatMap((fault) =>
        concurrentRunsAll
          .filter((concurrentRuns) => clocksOf({ concurrentRuns }) === clocks)
          .filter(
            (concurrentRuns) => concurrentRuns !== "3 runs, 1 by force" || boundary.canBeForced,
          )
          .map((concurrentRuns) => ({ history, boundary, fault, concurrentRuns })),
      ),
  );
}

export type Judgement = { deviations: string[]; meeting: Meeting };

export async function judge(one: Case, { clocks, finish: meant }: Reference): Promise<Judgement> {
  const finish = await play(one.history, clocks, one);
  const { passesInDoubt, settled } = finish.convergence;
  const deviations = [...finish.violations];
  if (passesInDoubt > passesMax) deviations.push(`in doubt for ${passesInDoubt} passes`);
  const isForced = one.concurrentRuns === "3 runs, 1 by force";
  // A forced use attempt comes before or after the end of the rotation: these differ legitimately.
  if (!isForced) {
    if (finish.closed !== meant.closed) deviations.push(`${finish.closed} closed rotations`);
    const strange = [...settled].filter((state) => !meant.convergence.passage.has(state));
    for (const state of strange) deviations.push(`remains: ${state}`);
  }
  const finishes = [meant, ...(isForced ? [await forced(one, clocks)] : [])];
  if (finishes.every(({ state }) => state !== finish.state)) {
    deviations.push(`ends as: ${finish.state}`);
  } else if (finishes.every(({ leftovers }) => leftovers !== finish.leftovers)) {
    deviations.push(`leaves in the table: ${finish.leftovers}`);
  }
  return { deviations, meeting: finish.meeting };
}

const lastForced: { key: string; finish?: Finish } = { key: "" };

/** The same attempt at the same time without the fault, once for all faults of the call. */
async function forced(
  { history, boundary, concurrentRuns }: Case,
  clocks: Clocks,
): Promise<Finish> {
  const key = `${history.name} ${boundary.index}`;
  if (lastForced.key !== key || lastForced.finish === undefined) {
    lastForced.finish = await play(history, clocks, { history, boundary, concurrentRuns });
    lastForced.key = key;
  }
  return lastForced.finish;
}

export function describeCase({ history, boundary, fault, concurrentRuns }: Case): string {
  return `${history.name}, call ${boundary.index} (${boundary.operation}): ${fault ?? "no fault"}, ${concurrentRuns}`;
}
