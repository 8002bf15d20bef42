/** Runs many seeds on several threads, until a time or a count is reached. */
import { Worker } from "node:worker_threads";
import type { Invariant } from "./checkers/checker.ts";
import type { RotatorName } from "./world/options.ts";

export type Campaign = {
  scenario: string;
  rotator: RotatorName;
  seedStart: number;
  /** The campaign ends after this much real time, or after this many seeds. */
  budgetMs: number;
  seeds: number;
  threads: number;
};

/** A seed that violated an invariant. */
export type Failure = { seed: number; invariant: Invariant; what: string; faults: number };

export type Tally = {
  seeds: number;
  lastSeed: number;
  simulatedMs: number;
  events: number;
  runs: number;
  rotations: number;
  faults: Record<string, number>;
  failures: Failure[];
};

export function emptyTally(): Tally {
  return {
    seeds: 0,
    lastSeed: -1,
    simulatedMs: 0,
    events: 0,
    runs: 0,
    rotations: 0,
    faults: {},
    failures: [],
  };
}

export function add(one: Tally, other: Tally): Tally {
  const faults = { ...one.faults };
  for (const [kind, count] of Object.entries(other.faults)) {
    faults[kind] = (faults[kind] ?? 0) + count;
  }
  return {
    seeds: one.seeds + other.seeds,
    lastSeed: Math.max(one.lastSeed, other.lastSeed),
    simulatedMs: one.simulatedMs + other.simulatedMs,
    events: one.events + other.events,
    runs: one.runs + other.runs,
    rotations: one.rotations + other.rotations,
    faults,
    failures: [...one.failures, ...other.failures].sort((a, b) => a.seed - b.seed),
  };
}

/** `taken` counts the seeds that any thread has begun. */
export type Share = Campaign & { taken: Int32Array };

export async function campaign(plan: Campaign): Promise<Tally> {
  const taken = new Int32Array(new SharedArrayBuffer(4));
  const shares = Array.from({ length: plan.threads }, (): Share => ({ ...plan, taken }));
  const tallies = await Promise.all(shares.map(threaded));
  return tallies.reduce(add, emptyTally());
}

function threaded(share: Share): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./campaign-thread.ts", import.meta.url), {
      workerData: share,
      // The objects of a history are garbage before they grow old.
      resourceLimits: { maxYoungGenerationSizeMb: 128 },
    });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => {
      if (code !== 0) reject(new Error(`a simulation thread exited with ${code}`));
    });
  });
}
