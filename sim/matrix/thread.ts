/** Plays a share of the matrix. */
import { parentPort, workerData } from "node:worker_threads";
import { meetings, type Meeting } from "./concurrent-runs.ts";
import { casesOf, describeCase, judge, references } from "./matrix.ts";

const { taken, every } = workerData as { taken: Int32Array; every: number };

/** The counts of all cases with one operation, fault and number of concurrent runs. */
export type Cell = { cases: number; deviating: number } & Record<keyof Meeting, number>;
export type Share = { cells: Record<string, Cell>; deviating: string[] };

const cells: Record<string, Cell> = {};
const deviating: string[] = [];
const pairs = (await references()).flatMap((reference) =>
  casesOf(reference).map((one) => ({ one, reference })),
);
for (;;) {
  const pair = pairs[Atomics.add(taken, 0, 1) * every];
  if (pair === undefined) break;
  const { one, reference } = pair;
  const name = [one.boundary.operation, one.fault, one.concurrentRuns].join("|");
  const cell = (cells[name] ??= { cases: 0, deviating: 0, others: 0, claims: 0, changes: 0 });
  const { deviations, meeting } = await judge(one, reference);
  cell.cases += 1;
  for (const what of meetings) if (meeting[what]) cell[what] += 1;
  if (deviations.length === 0) continue;
  cell.deviating += 1;
  deviating.push(`${describeCase(one)}: ${deviations.join("; ")}`);
}
parentPort?.postMessage({ cells, deviating } satisfies Share);
