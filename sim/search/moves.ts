/** Every possible next move in a state, and the properties that each violates. */
import { answersTo, arrivals } from "./answers.ts";
import { attemptWithinMs } from "./fixture.ts";
import { auditReads } from "./audit.ts";
import type { Bounds, Move } from "./move.ts";
import { others } from "./external-changes.ts";
import { approvals, attemptsHeard, isFree, requested, scheduled } from "./runs.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import { isDeletionApproved, notAccepted } from "./properties.ts";
import type { SearchState } from "./state.ts";

/**
 * `first`: the move without further faults, external changes, and arrivals of calls in flight;
 * undefined if no such move is possible. `rest`: all other moves.
 */
export type Moves = { first: Move | undefined; rest: Move[] };

export function movesOf(state: SearchState, bounds: Bounds): Moves {
  const fair = [
    ...state.waiting.flatMap((waiting) => answersTo(state, waiting, bounds)),
    ...attemptsHeard(state, bounds),
    ...scheduled(state, bounds),
    ...auditReads(state),
    ...approvals(state, bounds),
    ...later(state, bounds),
  ];
  const [first, ...rest] = fair;
  for (const flight of state.flights) rest.push(...arrivals(state, flight));
  if (state.lag !== undefined) rest.push({ name: "reads catch up", state: caughtUp(state) });
  rest.push(...requested(state, bounds), ...others(state));
  return { first, rest };
}

/**
 * Time passes until the next moment at which anything can change, but not past a moment at which
 * the schedule starts a run or a use attempt arrives.
 */
function later(state: SearchState, bounds: Bounds): Move[] {
  const { record, flights, kms, nowMs } = state;
  const isAwaited = state.attempts.some(({ atMs }) => nowMs >= atMs + attemptWithinMs);
  const isDue = (record.dueAtMs <= nowMs || state.isNews) && isFree(state, bounds);
  if (state.waiting.length > 0 || isAwaited || isDue) return [];
  const timesMs = [
    ...state.attempts.map(({ atMs }) => atMs + attemptWithinMs),
    record.dueAtMs,
    ...(record.claim === undefined ? [] : [record.claim.untilMs + 1]),
    ...record.unsettled.map(({ untilMs }) => untilMs),
    ...(state.lag === undefined ? [] : [state.lag.untilMs]),
    ...flights.map(({ latestMs }) => latestMs + 1),
    ...kms.keys.flatMap(({ deletionAtMs }) => deletionAtMs ?? []),
  ].filter((atMs) => atMs > nowMs);
  if (timesMs.length === 0) return [];
  const atMs = Math.min(...timesMs);
  // The audit runs before a deletion completes.
  const isObserved =
    auditReads(state).length > 0 && kms.keys.some((key) => key.deletionAtMs === atMs);
  if (isObserved) return [];
  const deleted = kms.keys.filter(({ deletionAtMs }) => (deletionAtMs ?? Infinity) <= atMs);
  const next: SearchState = {
    ...state,
    nowMs: atMs,
    lag: state.lag !== undefined && state.lag.untilMs > atMs ? state.lag : undefined,
    // A call that has not landed by then never lands.
    flights: flights.filter(({ latestMs }) => latestMs >= atMs),
    kms:
      deleted.length === 0
        ? kms
        : { ...kms, keys: kms.keys.filter((key) => !deleted.includes(key)) },
  };
  const lost = deleted.find(({ id }) => state.asked.includes(id));
  const wrong = lost === undefined ? {} : { wrong: `I5: ${lost.id}, which is in use, is deleted` };
  const unapproved = deleted.find((key) => key.by === "us" && !isApproved(record, key.id));
  const gate =
    unapproved === undefined
      ? {}
      : { wrong: `gate: ${unapproved.id} is deleted without an approval of the deletion` };
  // A run takes up a refusal at once; in the last hour its call may fail once too often.
  const early = state.refused.filter((one) => one.atMs < atMs - attemptWithinMs);
  const refused = deleted.find(
    ({ id, by }) => by === "us" && notAccepted({ record, refused: early }, id) !== undefined,
  );
  const under =
    refused === undefined ? {} : { wrong: `gate: ${refused.id} is deleted despite a refusal` };
  const served = deleted.find(({ id }) => id === state.kms.target);
  const bare =
    served === undefined ? {} : { wrong: `I1: ${served.id}, where the alias is, is deleted` };
  return [
    { name: `${spell(atMs - nowMs)} pass`, state: next, ...gate, ...under, ...bare, ...wrong },
  ];
}

/** Of a version that a late rollback cannot save, the approval is in the closed rotation. */
function isApproved({ versions, rotations }: ManagedKey, keyId: string): boolean {
  const version = versions.find((one) => one.keyId === keyId);
  if (version?.state === "reactivating") return true;
  return isDeletionApproved(rotations.find(({ from }) => from === version?.number));
}

function caughtUp(state: SearchState): SearchState {
  return { ...state, lag: undefined };
}

function spell(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds || 1} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
