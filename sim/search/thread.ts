/** Searches one scope after the other, as long as there are any that no other thread has taken. */
import { parentPort, workerData } from "node:worker_threads";
import { beginningOf, scopes } from "./scopes.ts";
import { search } from "./search.ts";

const { taken, statesMax } = workerData as { taken: Int32Array; statesMax: number };

for (;;) {
  const index = Atomics.add(taken, 0, 1);
  const scope = scopes[index];
  if (scope === undefined) break;
  const beganMs = performance.now();
  const bounds = { workers: scope.workers, without: undefined };
  const result = search(beginningOf(scope), bounds, statesMax);
  const seconds = (performance.now() - beganMs) / 1000;
  parentPort?.postMessage({ index, result, seconds });
}
