/** One case: a life in which one call, or its run, comes to grief in one way. */
import { prompt, type Medium } from "../world/fates.ts";
import { SimulatedWorld } from "../world/world.ts";
import { beginOthers, canBeForced, isAccompanied, meetingOf } from "./company.ts";
import type { Company, Meeting } from "./company.ts";
import { closedIn, convergence, leftoversOf, stateOf, type Convergence } from "./ending.ts";
import { faults, type FaultName } from "./faults.ts";
import { scenarioOf, seedOf, type Clocks, type Life } from "./lives.ts";

/** A call that passed a port: where a life can be interrupted. */
export type Boundary = {
  index: number;
  medium: Medium;
  operation: string;
  /** Where in the life: KMS and the record as they were. Known of a life without a fault. */
  place: string;
  canBeForced: boolean;
};

/** Without a fault: only the others begin. */
export type Case = { life: Life; boundary: Boundary; fault?: FaultName; company: Company };

export type Ending = {
  /** What is to be the same as without the fault. */
  state: string;
  leftovers: string;
  closed: number;
  violations: string[];
  convergence: Convergence;
  boundaries: Boundary[];
  outcomes: string[];
  meeting: Meeting;
};

/** Runs meet at their worst where their clocks differ. */
export function clocksOf({ company }: Pick<Case, "company">): Clocks {
  return isAccompanied(company) ? "apart" : "together";
}

export async function play(
  life: Life,
  clocks: Clocks,
  one?: Case,
  tell?: (line: string) => void,
): Promise<Ending> {
  const outcomes: string[] = [];
  const { meeting, hear } = meetingOf();
  const boundaries: Boundary[] = [];
  const isAfter = (): boolean => boundaries.length > (one?.boundary.index ?? Infinity);
  const trace = (line: string): void => {
    if (isAfter()) hear(line);
    if (/run-\d+: (failed|ended)$/.test(line)) outcomes.push(line);
    tell?.(line);
  };
  const scenario = scenarioOf(life, clocks);
  const world = new SimulatedWorld({ seed: seedOf(clocks), scenario, trace });
  let later = () => prompt;
  world.fates.script = (medium, name) => {
    const index = boundaries.length;
    boundaries.push({ index, medium, ...placeOf(world, name, one === undefined) });
    if (one === undefined || index < one.boundary.index) return prompt;
    if (index > one.boundary.index) return later();
    tell?.(`${name}: ${one.fault ?? "no fault"}, ${one.company}`);
    later = beginOthers(world, one.company);
    return one.fault === undefined ? later() : faults[one.fault];
  };
  const startMs = world.engine.nowMs();
  for (const { afterMs, act } of life.acts) world.engine.at(startMs + afterMs, () => act(world));
  const watched = convergence(world, isAfter);
  const { violations } = await world.live();
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

/** What it is called, and, where it is the life itself that is told, where that is. */
function placeOf(world: SimulatedWorld, name: string, isTold: boolean) {
  if (!isTold) return { operation: "", place: "", canBeForced: false };
  const operation = operationIn(name);
  return { operation, place: stateOf(world), canBeForced: canBeForced(world) };
}

const ports = ["KMS", "table", "tagging", "events"];

function operationIn(name: string): string {
  const [first = "", second = ""] = name.split(" ");
  return ports.includes(first) ? `${first} ${second}` : first;
}
