/** A thread of a campaign. */
import { parentPort, workerData } from "node:worker_threads";
import { add, emptyTally, type Share, type Tally } from "./campaign.ts";
import { live } from "./history.ts";
import { scenarioNamed } from "./scenarios.ts";

const { scenario, rotator, seedStart, budgetMs, seeds, taken } = workerData as Share;

const untilMs = performance.now() + budgetMs;
let tally: Tally = emptyTally();
while (performance.now() < untilMs) {
  const count = Atomics.add(taken, 0, 1);
  if (count >= seeds) break;
  const seed = seedStart + count;
  const told = await live({ seed, scenario: scenarioNamed(scenario), rotator });
  const failures = told.violations.map(({ invariant, what }) => ({
    seed,
    invariant,
    what,
    faults: told.faultCount,
  }));
  const { simulatedMs, events, runs, rotations, faults } = told;
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
