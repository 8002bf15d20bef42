/** One case: a life in which one call, or its run, comes to grief in one way. */
import { tagNames } from "../../lambda/workflow/tag-names.ts";
import type { ManagedKey } from "../../lambda/workflow/types.ts";
import { prompt, type Fate, type Medium } from "../world/fates.ts";
import { requestLimitMs } from "../../lambda/workflow/limits.ts";
import { SimulatedWorld } from "../world/world.ts";
import { alias, scenarioOf, type Life } from "./lives.ts";

const minuteMs = 60_000;

export const faults = {
  "crash before": { ...prompt, crash: "before" },
  "crash after": { ...prompt, crash: "after" },
  "response lost": { ...prompt, unanswered: true },
  duplicated: { ...prompt, again: { afterMs: 3000, hears: "first" } },
  "its answer from the second": { ...prompt, again: { afterMs: 3000, hears: "second" } },
  "given up, and late": { ...prompt, outMs: requestLimitMs, unanswered: true },
  "stalled to the end of its run, and late": {
    ...prompt,
    stallMs: Infinity,
    outMs: requestLimitMs,
  },
} as const satisfies Record<string, Fate>;

export type FaultName = keyof typeof faults;

/** A call that passed a port: where a life can be interrupted. */
export type Boundary = { index: number; medium: Medium; operation: string };

export type Case = { life: Life; boundary: Boundary; fault: FaultName; runs: 1 | 2 | 3 };

export type Ending = {
  /** What is to be the same as without the fault. */
  summary: string;
  violations: string[];
  /** How many turns it took, once nothing could land any longer, until nothing was in doubt. */
  turnsToConverge: number;
  boundaries: Boundary[];
  outcomes: string[];
};

/** What a retry would do twice, the adapter makes once: only writes to the table can be duplicated. */
export function applies(fault: FaultName, { medium }: Boundary): boolean {
  const isTwice = fault === "duplicated" || fault === "its answer from the second";
  if (isTwice) return medium === "table";
  if (fault === "crash after" || fault === "given up, and late") return medium !== "look";
  return true;
}

export async function play(life: Life, one?: Case): Promise<Ending> {
  const outcomes: string[] = [];
  const trace = (line: string): void => {
    if (/run-\d+: (failed|ended)$/.test(line)) outcomes.push(line);
  };
  const world = new SimulatedWorld({ seed: 1, scenario: scenarioOf(life), trace });
  const boundaries: Boundary[] = [];
  world.fates.script = (medium, name) => {
    const index = boundaries.length;
    boundaries.push({ index, medium, operation: operationIn(name) });
    if (index !== one?.boundary.index) return prompt;
    beginOthers(world, one.runs);
    return faults[one.fault];
  };
  const startMs = world.engine.nowMs();
  for (const { afterMs, act } of life.acts) world.engine.at(startMs + afterMs, () => act(world));
  const watch = convergence(world);
  const { violations } = await world.live();
  return {
    summary: summaryOf(world),
    violations: violations.map(({ invariant, what }) => `${invariant}: ${what}`),
    turnsToConverge: watch.turns(),
    boundaries,
    outcomes,
  };
}

/** At once, and when the claim of the run that came to grief is over. */
function beginOthers(world: SimulatedWorld, runs: Case["runs"]): void {
  const { engine } = world;
  if (runs >= 2) engine.after(1000, () => world.startRun());
  if (runs >= 3) {
    engine.after(61_000, () => world.startRun());
    engine.after(5 * minuteMs + 31_000, () => world.startRun());
    engine.after(5 * minuteMs + 32_000, () => world.startRun());
  }
}

function operationIn(name: string): string {
  const [first = "", second = ""] = name.split(" ");
  return first === "KMS" || first === "table" || first === "tagging" || first === "events"
    ? `${first} ${second}`
    : first;
}

/** Counts the turns in which something is still in doubt, though nothing can land any longer. */
function convergence(world: SimulatedWorld): { turns: () => number } {
  let settledAtMs = 0;
  let turns = 0;
  let longest = 0;
  world.onTurnEnd = (record) => {
    const nowMs = world.engine.nowMs();
    for (const { untilMs } of record.unsettled) settledAtMs = Math.max(settledAtMs, untilMs);
    if (nowMs < settledAtMs) return;
    turns = isInDoubt(record) ? turns + 1 : 0;
    longest = Math.max(longest, turns);
  };
  return { turns: () => longest };
}

function isInDoubt({ rotations, backoff, unsettled }: ManagedKey): boolean {
  const unanswered = rotations.some(
    ({ unanswered: call, intent }) => call !== undefined || intent.unansweredEpoch !== undefined,
  );
  return unanswered || backoff.tries > 0 || unsettled.length > 0;
}

/** The world and the record at the end, without ids and times. */
function summaryOf(world: SimulatedWorld): string {
  const record = world.record(alias);
  const target = world.kms.world.aliases.get(alias)?.keyId;
  const keys = [...world.kms.world.keys.values()].map(({ keyId, state, tags, grants }) => {
    const version = tags.get(tagNames.version) ?? "-";
    const label = tags.has(tagNames.retired) ? "retired" : "";
    const isTarget = keyId === target ? "under the alias" : "";
    return `version ${version} ${state} ${label} ${isTarget} grants ${grants.size}`;
  });
  const versions = record?.versions.map(({ number, standing }) => `${number} ${standing}`);
  const rotations = record?.rotations.map(({ from, to, step }) => `${from} to ${to} at ${step}`);
  const findings = record?.findings.map(({ code }) => code);
  const stops = record?.stops.map(({ kind }) => kind);
  return [keys.sort(), versions, rotations, findings, stops].map((part) => part?.join()).join("; ");
}
