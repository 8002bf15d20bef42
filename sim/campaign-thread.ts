/** One thread of a campaign. */
import { parentPort, workerData } from "node:worker_threads";
import { add, emptyTally, type Share, type Tally } from "./campaign.ts";
import { simulate } from "./history.ts";
import { scenarioNamed } from "./scenarios.ts";

const { scenario, rotator, seedStart, budgetMs, seeds, taken } = workerData as Share;

// Most errors in a simulated world are responses: their stacks would take a tenth of the time.
Error.stackTraceLimit = 0;

async function result(seed: number) {
  try {
    return await simulate({ seed, scenario: scenarioNamed(scenario), rotator });
  } catch (error) {
    throw new Error(`seed ${seed} of ${scenario} crashed the simulator: ${String(error)}`, {
      cause: error,
    });
  }
}

const untilMs = performance.now() + budgetMs;
let tally: Tally = emptyTally();
while (performance.now() < untilMs) {
  const count = Atomics.add(taken, 0, 1);
  if (count >= seeds) break;
  const seed = seedStart + count;
  const history = await result(seed);
  const failures = history.violations.map(({ invariant, what }) => ({
    seed,
    invariant,
    what,
    faults: history.faultCount,
  }));
  const { simulatedMs, events, runs, rotations, faults } = history;
  tally = add(tally, {
    seeds: 1,
    lastSeed: seed,
    simulatedMs,
    events,
    runs,
    rotations,
    faults: faults as Record<string, number>,
    failures,
  });
}
parentPort?.postMessage(tally);
