/** Searches one scope after another, until the threads have taken all. */
import { parentPort, workerData } from "node:worker_threads";
import { beginningOf, type Scope } from "./scopes.ts";
import { search, type Limits } from "./search.ts";

type Work = { taken: Int32Array; scopes: Scope[]; limits: Limits };

const { taken, scopes, limits } = workerData as Work;

for (;;) {
  const index = Atomics.add(taken, 0, 1);
  const scope = scopes[index];
  if (scope === undefined) break;
  const beganMs = performance.now();
  const bounds = { workers: scope.workers, without: undefined };
  const result = search(beginningOf(scope), bounds, limits);
  parentPort?.postMessage({ index, result, seconds: (performance.now() - beganMs) / 1000 });
}
