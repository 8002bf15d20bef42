/** One case: a history in which one fault strikes one call or its run. */
import { prompt, type Medium } from "../world/fault-plan.ts";
import { SimulatedWorld } from "../world/world.ts";
import { beginOthers, canBeForced, hasConcurrentRuns, meetingOf } from "./concurrent-runs.ts";
import type { ConcurrentRuns, Meeting } from "./concurrent-runs.ts";
import { closedIn, convergence, leftoversOf, stateOf, type Convergence } from "./convergence.ts";
import { faults, type FaultName } from "./faults.ts";
import { scenarioOf, seedOf, type Clocks, type History } from "./histories.ts";

/** A call through a port, where a fault can interrupt a history. */
export type Boundary = {
  index: number;
  medium: Medium;
  operation: string;
  /** Where in the history: the states of KMS and the record. Only set in one without a fault. */
  place: string;
  canBeForced: boolean;
};

/** Without a fault, only the other runs begin. */
export type Case = {
  history: History;
  boundary: Boundary;
  fault?: FaultName;
  concurrentRuns: ConcurrentRuns;
};

export type Finish = {
  /** Must be the same as without the fault. */
  state: string;
  leftovers: string;
  closed: number;
  violations: string[];
  convergence: Convergence;
  boundaries: Boundary[];
  outcomes: string[];
  meeting: Meeting;
};

/** Concurrent runs do the most harm when their clocks differ. */
export function clocksOf({ concurrentRuns }: Pick<Case, "concurrentRuns">): Clocks {
  return hasConcurrentRuns(concurrentRuns) ? "apart" : "together";
}

export async function play(
  history: History,
  clocks: Clocks,
  one?: Case,
  report?: (line: string) => void,
): Promise<Finish> {
  const outcomes: string[] = [];
  const { meeting, hear } = meetingOf();
  const boundaries: Boundary[] = [];
  const isAfter = (): boolean => boundaries.length > (one?.boundary.index ?? Infinity);
  const trace = (line: string): void => {
    if (isAfter()) hear(line);
    if (/run-\d+: (failed|ended)$/.test(line)) outcomes.push(line);
    report?.(line);
  };
  const scenario = scenarioOf(history, clocks);
  const world = new SimulatedWorld({ seed: seedOf(clocks), scenario, trace });
  let later = () => prompt;
  world.faultPlan.script = (medium, name) => {
    const index = boundaries.length;
    boundaries.push({ index, medium, ...placeOf(world, name, one === undefined) });
    if (one === undefined || index < one.boundary.index) return prompt;
    if (index > one.boundary.index) return later();
    report?.(`${name}: ${one.fault ?? "no fault"}, ${one.concurrentRuns}`);
    later = beginOthers(world, one.concurrentRuns);
    return one.fault === undefined ? later() : faults[one.fault];
  };
  const startMs = world.engine.nowMs();
  for (const { afterMs, act } of history.acts) world.engine.at(startMs + afterMs, () => act(world));
  const watched = convergence(world, isAfter);
  const { violations } = await world.simulate();
  return {
    state: stateOf(world),
    leftovers: leftoversOf(world),
    closed: closedIn(world),
    violations: violations.map(({ invariant, what }) => `${invariant}: ${what}`),
    convergence: watched,
    boundaries,
    outcomes,
    meeting,
  };
}

/** The operation and the place of a call; both are empty in a history with a fault. */
function placeOf(world: SimulatedWorld, name: string, isReference: boolean) {
  if (!isReference) return { operation: "", place: "", canBeForced: false };
  const operation = operationIn(name);
  return { operation, place: stateOf(world), canBeForced: canBeForced(world) };
}

const ports = ["KMS", "table", "tagging", "events"];

function operationIn(name: string): string {
  const [first = "", second = ""] = name.split(" ");
  return ports.includes(first) ? `${first} ${second}` : first;
}
