/** Plays a share of the matrix. */
import { parentPort, workerData } from "node:worker_threads";
import { casesOf, describeCase, deviationsOf, references } from "./matrix.ts";

const { taken, every } = workerData as { taken: Int32Array; every: number };

const counts: Record<string, number> = {};
const deviating: string[] = [];
const pairs = (await references()).flatMap((reference) =>
  casesOf(reference).map((one) => ({ one, reference })),
);
for (;;) {
  const pair = pairs[Atomics.add(taken, 0, 1) * every];
  if (pair === undefined) break;
  const { one, reference } = pair;
  const cell = `${one.fault}|${one.runs}`;
  counts[cell] = (counts[cell] ?? 0) + 1;
  const deviations = await deviationsOf(one, reference);
  if (deviations.length > 0) deviating.push(`${describeCase(one)}: ${deviations.join("; ")}`);
}
parentPort?.postMessage({ counts, deviating });
