/**
 * Other runs, from other sandboxes, that overlap the interrupted one: while it works, when the run
 * claim has expired, and from the first time at which a fast clock may claim its key.
 */
import { clockSkewMs } from "../../lambda/workflow/model/limits.ts";
import { prompt, type PlannedFault } from "../world/fault-plan.ts";
import type { SimulatedWorld } from "../world/world.ts";
import { alias, hasWritten, read } from "./histories.ts";

/** "1 by force": one of the runs answers a use attempt and takes the claim by force. */
export type ConcurrentRuns = "1 run" | "2 runs" | "3 runs" | "3 runs, 1 by force";
export const concurrentRunsAll: ConcurrentRuns[] = [
  "1 run",
  "2 runs",
  "3 runs",
  "3 runs, 1 by force",
];

const slow: PlannedFault = { ...prompt, outMs: 300, backMs: 200 };
const slowForMs = 13 * 60_000;
/** From the time at which the fastest clock considers the key due to that of the slowest. */
const onceDueMs = [-clockSkewMs / 2, -22_000, -15_000, -8000, 0, 15_000, 31_000];

export function hasConcurrentRuns(concurrentRuns: ConcurrentRuns): boolean {
  return concurrentRuns !== "1 run";
}

/** A use attempt changes something only if the ciphertext is of a version now out of use. */
export function canBeForced(world: SimulatedWorld): boolean {
  const first = world.record(alias)?.versions.find(({ number }) => number === 1);
  const isOut = first?.state === "disabled" || first?.state === "pending-deletion";
  return isOut && hasWritten(world);
}

/** Starts the other runs. Returns the fault plan of the next calls: delays interleave the runs. */
export function beginOthers(
  world: SimulatedWorld,
  concurrentRuns: ConcurrentRuns,
): () => PlannedFault {
  if (!hasConcurrentRuns(concurrentRuns)) return () => prompt;
  const { engine } = world;
  const beganMs = engine.nowMs();
  const { claim, dueAtMs = beganMs } = world.record(alias) ?? {};
  const dueMs = claim === undefined ? beganMs : dueAtMs;
  const timesMs = [beganMs + 1000, beganMs + 61_000, ...onceDueMs.map((ms) => dueMs + ms)];
  const each = concurrentRuns === "3 runs" ? 2 : 1;
  for (const atMs of timesMs) {
    if (atMs <= beganMs) continue;
    for (let one = 0; one < each; one++) engine.at(atMs + 100 * one, () => startRun(world));
  }
  if (concurrentRuns === "3 runs, 1 by force") engine.after(2000, () => attempt(world));
  return () => (engine.nowMs() < beganMs + slowForMs ? slow : prompt);
}

/** Starts a run even if nothing is due: the run itself must find that out. */
function startRun(world: SimulatedWorld): void {
  const { table } = world;
  const isDue = table.isDue.bind(table);
  table.isDue = () => true;
  world.startRun();
  table.isDue = isDue;
}

/** Decrypts a ciphertext of the first version; the event arrives at once. */
function attempt(world: SimulatedWorld): void {
  const { engine } = world;
  const after = engine.after.bind(engine);
  engine.after = (_, happen) => after(1, happen);
  read(world);
  engine.after = after;
}

/** What other runs did before the interrupted one ended, read from the lines of the trace. */
export type Meeting = { others: boolean; claims: boolean; changes: boolean };

export const meetings = ["others", "claims", "changes"] as const;

const changing =
  /: (Create(Key|Grant)|UpdateAlias|(Un)?[Tt]agResource|(En|Dis)ableKey|(Schedule|Cancel)KeyDeletion) /;

export function meetingOf(): { meeting: Meeting; hear: (line: string) => void } {
  const meeting: Meeting = { others: false, claims: false, changes: false };
  let name: string | undefined;
  let isOver = false;
  const hear = (line: string): void => {
    if (isOver) return;
    const run = /^\S+ (run-\d+): /.exec(line)?.[1];
    if (run === undefined) return;
    name ??= run;
    if (run !== name) {
      meeting.others = true;
      meeting.claims ||= line.includes(": table claim ");
      meeting.changes ||= changing.test(line);
    } else if (/: (returned|failed|ended)$/.test(line)) {
      isOver = true;
    }
  };
  return { meeting, hear };
}
