/** How runs begin: what is due, what a person asks, and a use attempt that is heard of. */
import { concern } from "../../lambda/workflow/restore/use-attempt.ts";
import type { Request } from "../../lambda/workflow/model/types.ts";
import { hourMs } from "./fixture.ts";
import { keyNamed } from "./model-kms.ts";
import { spend, type Bounds, type Move } from "./move.ts";
import { isHeld, shownOf, type Attempted, type SearchState } from "./state.ts";
import { attemptTo, claimed, proceed, type Proceeded } from "./pass.ts";

export function movedOn(name: string, { state, wrong }: Proceeded, before?: string): Move {
  const what = before ?? wrong;
  return what === undefined ? { name, state } : { name, state, wrong: what };
}

/** The same, but the run dies after one of its writes. */
export function deaths(name: string, run: string, written: SearchState[], wrong?: string): Move[] {
  return written.map((state, index) => ({
    name: `${name}; ${run} dies after ${index + 1} writes`,
    state: spend(state, "faults"),
    ...(wrong === undefined ? {} : { wrong }),
  }));
}

export function isFree(state: SearchState, { workers }: Bounds): boolean {
  return !isHeld(state) && state.waiting.length < workers;
}

/** The schedule starts a run, where something is due. */
export function scheduled(state: SearchState, bounds: Bounds): Move[] {
  if (state.record.dueAtMs > state.nowMs || !isFree(state, bounds)) return [];
  const { state: held, pass } = claimed(state);
  const name = `run ${pass.epoch} begins`;
  const proceeded = proceed(held, pass, bounds.without);
  const moves = [movedOn(name, proceeded)];
  if (state.budget.faults === 0) return moves;
  return [...moves, ...deaths(name, "it", [held, ...proceeded.written])];
}

/** A person asks, and a run takes it up; one that is never taken up was never asked. */
export function requested(state: SearchState, bounds: Bounds): Move[] {
  if (!isFree(state, bounds)) return [];
  const { budget, record } = state;
  const by = { id: "request", by: "ada", reason: "" };
  const moves: Move[] = [];
  if (budget.rotates > 0 && record.wanted === undefined) {
    moves.push(...ask(spend(state, "rotates"), { ...by, kind: "rotate" }, bounds));
  }
  const active = record.versions.find(({ state }) => state === "active");
  if (budget.rollbacks > 0 && active !== undefined) {
    const busy = record.rotations.find(({ step }) => step !== "drain" && step !== "revoke");
    // The one that is about to serve, and the one that does, may both be meant.
    const numbers = busy === undefined ? [active.number] : [busy.to, active.number];
    for (const version of new Set(numbers)) {
      const request = { ...by, kind: "rollback", version } as const;
      moves.push(...ask(spend(state, "rollbacks"), request, bounds));
    }
  }
  if (budget.resumes > 0 && record.holds.length > 0) {
    const after = { ...spend(state, "resumes"), asked: [] };
    moves.push(...ask(after, { ...by, kind: "resume" }, bounds));
  }
  return moves;
}

function ask(state: SearchState, request: Request, { without }: Bounds): Move[] {
  const { state: held, pass } = claimed(state);
  const proceeded = proceed(held, { ...pass, requests: [request] }, without);
  const version = "version" in request ? ` of version ${request.version}` : "";
  const name = `a person asks for ${request.kind}${version}, and run ${pass.epoch} takes it up`;
  const next = { ...proceeded, state: answeredBy(proceeded.state) };
  const moves = [movedOn(name, next)];
  if (state.budget.faults === 0) return moves;
  return [...moves, ...deaths(name, "it", proceeded.written.map(answeredBy))];
}

/** Who asked for a version that is to serve again gets what they asked for. */
function answeredBy(state: SearchState): SearchState {
  if (state.asked.length === 0) return state;
  const reactivating = state.record.versions.find(({ state }) => state === "reactivating");
  return { ...state, asked: state.asked.filter((keyId) => keyId !== reactivating?.keyId) };
}

/** As `lambda/run/answer.ts` has it, once: the handler hears of a use attempt, and takes the claim by force. */
export function attemptsHeard(state: SearchState, bounds: Bounds): Move[] {
  if (state.waiting.length >= bounds.workers) return [];
  return state.attempts.flatMap((attempt) => heard(state, attempt, bounds));
}

function heard(state: SearchState, attempt: Attempted, { without }: Bounds): Move[] {
  const rest = { ...state, attempts: state.attempts.filter((one) => one !== attempt) };
  const { keyId } = attempt;
  if (!isToDo(state, attempt)) {
    return [{ name: `an attempt to use ${keyId} is heard of, and is no news`, state: rest }];
  }
  const { state: held, pass } = claimed(rest);
  const asked = isInTime(state, keyId)
    ? [...held.asked.filter((one) => one !== keyId), keyId]
    : held.asked;
  const proceeded = proceed({ ...held, asked }, { ...pass, attempt }, without);
  const name = `run ${pass.epoch} hears of the attempt to use ${keyId}`;
  const moves = [movedOn(name, proceeded)];
  if (state.budget.faults === 0) return moves;
  // Its event comes again, until somebody has taken it up.
  const again = { ...held, attempts: state.attempts };
  return [...moves, ...deaths(name, "it", [again, ...proceeded.written])];
}

/** What is heard of in the last hour before a deletion, by a run that dies, may be too late to cancel. */
function isInTime({ kms, nowMs }: SearchState, keyId: string): boolean {
  const key = keyNamed(kms, keyId);
  return key !== undefined && (key.deletionAtMs ?? Infinity) > nowMs + hourMs;
}

/** `standing` of `lambda/run/answer.ts`, before the first try. */
function isToDo({ record, kms, lag }: SearchState, attempt: Attempted): boolean {
  const what = concern(record, attemptTo(attempt));
  if (what !== "known") return what === "news";
  if (keyNamed(shownOf({ kms, lag }), attempt.keyId)?.state === "Enabled") return false;
  const version = record.versions.find(({ keyId }) => keyId === attempt.keyId);
  const open = record.rotations.find(({ from }) => from === version?.number);
  return open?.restored?.relabelled !== true;
}
