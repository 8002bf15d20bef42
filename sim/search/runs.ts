/** How runs begin: by the schedule, by a request, and by a use attempt. */
import { concern } from "../../lambda/workflow/restore/use-attempt.ts";
import type { Destructive, Request } from "../../lambda/workflow/model/types.ts";
import { alias, hourMs } from "./fixture.ts";
import { evidenceOf, idsOf, keyNamed } from "./model-kms.ts";
import { spend, type Bounds, type Move } from "./move.ts";
import { notAccepted } from "./properties.ts";
import { isHeld, shownOf, type Attempted, type SearchState } from "./state.ts";
import { attemptTo, claimed, proceed, type Proceeded } from "./pass.ts";

export function movedOn(name: string, { state, wrong }: Proceeded, before?: string): Move {
  const what = before ?? wrong;
  return what === undefined ? { name, state } : { name, state, wrong: what };
}

/** The same move, but the run dies after one of its writes. */
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

/** The schedule starts a run if the key is due. */
export function scheduled(state: SearchState, bounds: Bounds): Move[] {
  const isDue = state.record.dueAtMs <= state.nowMs || state.isNews;
  if (!isDue || !isFree(state, bounds)) return [];
  const { state: held, pass } = claimed(state);
  const name = `run ${pass.epoch} begins`;
  const proceeded = proceed(held, pass, bounds.without);
  const moves = [movedOn(name, proceeded)];
  if (state.budget.faults === 0) return moves;
  return [...moves, ...deaths(name, "it", [held, ...proceeded.written])];
}

/** An operator makes a request, and a run takes it up at once. */
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
    // The request may mean the version about to become active, or the active one.
    const numbers = busy === undefined ? [active.number] : [busy.to, active.number];
    for (const version of new Set(numbers)) {
      const request = { ...by, kind: "rollback", version } as const;
      moves.push(...ask(spend(state, "rollbacks"), request, bounds));
    }
  }
  if (budget.overrides > 0) moves.push(...overrides(state, bounds));
  if (budget.resumes > 0 && record.holds.length > 0) {
    const after = { ...spend(state, "resumes"), asked: [] };
    moves.push(...ask(after, { ...by, kind: "resume" }, bounds));
  }
  return moves;
}

/** An operator declares the active version compromised, and overrides the evidence of its drain. */
function overrides(state: SearchState, bounds: Bounds): Move[] {
  const { versions, rotations } = state.record;
  const by = { id: "request", by: "ada", reason: "" };
  const after = spend(state, "overrides");
  return versions.flatMap(({ number, state: is }) => {
    const out = rotations.find(({ from }) => from === number);
    if (is === "active") return ask(after, { ...by, kind: "compromised", version: number }, bounds);
    if (out?.urgent !== true || out.approval?.override === true) return [];
    const request: Request = {
      ...{ ...by, kind: "approve", of: "disable", version: number, evidence: "" },
      ...{ accepts: [], override: true, confirm: alias },
    };
    return ask(after, request, bounds);
  });
}

/** An operator approves what a finding asks for, on the evidence that KMS shows; or the other call. */
export function approvals(state: SearchState, bounds: Bounds): Move[] {
  if (!isFree(state, bounds) || state.budget.approvals === 0) return [];
  const { record, nowMs } = state;
  return record.findings.flatMap(({ code, subject }) => {
    const version = record.versions.find(({ keyId }) => keyId === subject);
    const key = keyNamed(shownOf(state), subject);
    if (code !== "APPROVAL_REQUIRED" || version === undefined || key === undefined) return [];
    const evidence = evidenceOf(key, nowMs);
    const rotation = record.rotations.find(({ from }) => from === version.number);
    if (rotation === undefined) return [];
    const { approval } = rotation;
    const next: Destructive = version.state === "disabled" ? "delete" : "disable";
    const isCurrent = approval?.evidence === evidence && approval.of === next;
    if (isCurrent && notAccepted(state, subject) === undefined) return [];
    // A request that is repeated, or sent too early, names the other call.
    const named: Destructive[] = record.policy.approval === "none" ? [next] : ["disable", "delete"];
    const ids = idsOf(state.refused, version);
    const accepting = ids.length === 0 ? [[]] : [[], ids];
    return named.flatMap((of) =>
      accepting.flatMap((accepts) => {
        const request: Request = {
          ...{ id: "request", by: "ada", reason: "" },
          ...{ kind: "approve", of, version: version.number, evidence },
          ...{ accepts, override: false, confirm: "" },
        };
        return ask(spend(state, "approvals"), request, bounds);
      }),
    );
  });
}

function ask(state: SearchState, request: Request, { without }: Bounds): Move[] {
  const { state: held, pass } = claimed(state);
  const proceeded = proceed(held, { ...pass, requests: [request] }, without);
  const version = "version" in request ? ` of version ${request.version}` : "";
  const name = `an operator requests ${request.kind}${version}, and run ${pass.epoch} takes it up`;
  const next = { ...proceeded, state: answeredBy(proceeded.state) };
  const moves = [movedOn(name, next)];
  if (state.budget.faults === 0) return moves;
  return [...moves, ...deaths(name, "it", proceeded.written.map(answeredBy))];
}

/** A rollback to a version fulfils the earlier use attempts on it. */
function answeredBy(state: SearchState): SearchState {
  if (state.asked.length === 0) return state;
  const reactivating = state.record.versions.find(({ state }) => state === "reactivating");
  return { ...state, asked: state.asked.filter((keyId) => keyId !== reactivating?.keyId) };
}

/** One try of `lambda/run/answer.ts`: a use attempt arrives, and a run takes the claim by force. */
export function attemptsHeard(state: SearchState, bounds: Bounds): Move[] {
  if (state.waiting.length >= bounds.workers) return [];
  return state.attempts.flatMap((attempt) => heard(state, attempt, bounds));
}

function heard(state: SearchState, attempt: Attempted, { without }: Bounds): Move[] {
  const rest = { ...state, attempts: state.attempts.filter((one) => one !== attempt) };
  const { keyId } = attempt;
  if (!isToDo(state, attempt)) {
    return [{ name: `the attempt to use ${keyId} arrives, and changes nothing`, state: rest }];
  }
  const { state: held, pass } = claimed(rest);
  const asked = isInTime(state, keyId)
    ? [...held.asked.filter((one) => one !== keyId), keyId]
    : held.asked;
  const proceeded = proceed({ ...held, asked }, { ...pass, attempt }, without);
  const name = `run ${pass.epoch} receives the attempt to use ${keyId}`;
  const moves = [movedOn(name, proceeded)];
  if (state.budget.faults === 0) return moves;
  // EventBridge delivers the event again until a run has written it.
  const again = { ...held, attempts: state.attempts };
  return [...moves, ...deaths(name, "it", [again, ...proceeded.written])];
}

/** In the last hour before a deletion a run that dies may leave too little time to cancel it. */
function isInTime({ kms, nowMs }: SearchState, keyId: string): boolean {
  const key = keyNamed(kms, keyId);
  return key !== undefined && (key.deletionAtMs ?? Infinity) > nowMs + hourMs;
}

/** `state` of `lambda/run/answer.ts`, before the first try. */
function isToDo({ record, kms, lag }: SearchState, attempt: Attempted): boolean {
  const what = concern(record, attemptTo(attempt));
  if (what !== "known") return what === "news";
  if (keyNamed(shownOf({ kms, lag }), attempt.keyId)?.state === "Enabled") return false;
  const version = record.versions.find(({ keyId }) => keyId === attempt.keyId);
  const open = record.rotations.find(({ from }) => from === version?.number);
  return open?.restored?.relabelled !== true;
}
