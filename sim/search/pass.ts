/**
 * A pass up to the call that it sends, or to its end: the production functions, in the order in
 * which `lambda/pass/pass.ts` (makePass, follow, call), `change.ts` and `finish.ts` (finishPass,
 * nextDueMs) call them. No time passes in a pass, and the table never fails. The model omits what
 * no decision reads: the journal's hashes, bindings, backoff.
 */
import { announce } from "../../lambda/workflow/apply-outcome.ts";
import { afterInspection, inspectionDueAtMs } from "../../lambda/workflow/drift/inspection.ts";
import type { Finding } from "../../lambda/workflow/model/findings.ts";
import { violations } from "../../lambda/workflow/safety/invariants.ts";
import { recheckMs } from "../../lambda/workflow/model/limits.ts";
import { nothingObserved } from "../../lambda/workflow/safety/observations.ts";
import type {
  Decision,
  ManagedKey,
  Context,
  ObservedState,
  Request,
} from "../../lambda/workflow/model/types.ts";
import { decide } from "../../lambda/workflow/workflow.ts";
import { home, hourMs, minuteMs, neverAgainMs, runLimitMs, tableId } from "./fixture.ts";
import { observeAll } from "./model-kms.ts";
import { wrongToSend } from "./properties.ts";
import { announcedMarks, marksAtRest, mayBeMade, shown, type Part } from "./rule.ts";
import type { Attempted, CallDecision, SearchState, Waiting } from "./state.ts";

const decisionsMax = 60;
const retryAfterMs = minuteMs;
const farMs = 1000 * hourMs;

export type Pass = {
  epoch: number;
  deadlineMs: number;
  uncertain: boolean;
  parked: Readonly<Record<string, Decision>>;
  requests: Request[];
  attempt: Attempted | undefined;
};

/**
 * `state`: the run waits for a response, or the pass has ended. `written`: the states after each
 * earlier write; a run that dies after a write leaves its state, and its claim.
 */
export type Proceeded = { state: SearchState; written: SearchState[]; wrong?: string };

type Finish = { kind: "wait" | "halt" | "blocked" | "retry"; dueAtMs: number; findings: Finding[] };

export function proceed(state: SearchState, pass: Pass, without: Part | undefined): Proceeded {
  let now = state;
  let observed = nothingObserved();
  let { requests } = pass;
  const written: SearchState[] = [];
  const { nowMs } = state;
  for (let count = 0; count < decisionsMax; count++) {
    const { record } = now;
    const context = searchContextOf(now, pass, requests);
    const view = shown(record, context, without);
    const { decision, findings } = decide(view.record, observed, view.context);
    const end = (finish: Finish): Proceeded => {
      const isRest = finish.kind === "wait" || finish.kind === "halt";
      const next = isRest ? { ...now, record: inspected(record, observed, nowMs) } : now;
      return { state: rested(next, pass, finish, without), written };
    };
    switch (decision.kind) {
      case "observe":
        observed = observeAll(state, nowMs, observed, decision.reads);
        break;
      case "change": {
        const next = { ...decision.next, unsettled: record.unsettled };
        const done = next.fulfilled.map(({ id }) => id);
        requests = requests.filter(({ id }) => !done.includes(id));
        if (stepEnded(record, next)) observed = nothingObserved();
        now = changed(now, next);
        written.push(now);
        break;
      }
      case "call":
        if (mayBeMade(record, decision, context, without)) {
          return { ...sent(now, pass, decision, context, observed, without), written };
        }
        return end({ kind: "blocked", dueAtMs: nowMs + minuteMs, findings: record.findings });
      case "wait":
      case "halt": {
        const dueAtMs = decision.kind === "wait" ? decision.untilMs : nowMs + recheckMs;
        return end({ kind: decision.kind, dueAtMs, findings });
      }
      case "blocked": {
        const dueAtMs = Math.min(decision.untilMs, nowMs + recheckMs);
        return end({ kind: "blocked", dueAtMs, findings: record.findings });
      }
      case "retry":
        return end({ kind: "retry", dueAtMs: nowMs + retryAfterMs, findings: record.findings });
    }
  }
  throw new Error("the pass does not end");
}

export function searchContextOf(
  { nowMs, opened, record, budget, refused }: SearchState,
  { epoch, uncertain, parked, attempt }: Pick<Pass, "epoch" | "uncertain" | "parked" | "attempt">,
  requests: Request[],
): Context {
  return {
    nowMs,
    epoch,
    home: { ...home, policy: record.policy },
    newRotationId: `rotation-${opened + 1}`,
    uncertain,
    parked,
    mode: "act",
    tableId,
    // The model keeps no journal, and its requests name no journal line.
    head: "",
    requests,
    ...(budget.refusals + refused.length > 0 ? { refusalsWatch: "cloudtrail" } : {}),
    ...(attempt === undefined ? {} : { attempt: attemptTo(attempt) }),
  };
}

export function attemptTo({ keyId, atMs }: Attempted) {
  const attempted = { eventId: "event", operation: "Decrypt", principal: "application" };
  return { ...attempted, keyId, atMs, encryptionContextKeys: [] };
}

/** A transition; the parts of the record that production moves to separate items are removed. */
export function changed(state: SearchState, next: ManagedKey): SearchState {
  const id = `rotation-${state.opened + 1}`;
  const opens = next.rotations.some((rotation) => rotation.id.startsWith(id));
  const record = { ...next, closed: [], fulfilled: [], rejected: [] };
  return { ...state, record, opened: state.opened + (opens ? 1 : 0) };
}

function stepEnded(before: ManagedKey, next: ManagedKey): boolean {
  return next.rotations.some(({ id, step }) => {
    const was = before.rotations.find((rotation) => rotation.id === id);
    return was !== undefined && was.step !== step;
  });
}

function sent(
  state: SearchState,
  pass: Pass,
  decision: CallDecision,
  context: Context,
  observed: ReturnType<typeof nothingObserved>,
  without: Part | undefined,
): { state: SearchState; wrong?: string } {
  const { epoch, deadlineMs, uncertain, parked, attempt } = pass;
  const announced = announce(state.record, decision, context, deadlineMs);
  const unsettled = announcedMarks(announced.unsettled, epoch, without);
  const record = { ...announced, unsettled };
  const { call, matter } = decision;
  // The assertions of production; without a part of the rule they may fire, and do not count.
  const broken =
    without === undefined ? violations(record, call, matter, observed, context).join("; ") : "";
  const wrong = broken === "" ? wrongToSend(state, decision, epoch) : `asserted: ${broken}`;
  const waiting: Waiting = {
    ...{ epoch, decision, deadlineMs, uncertain, parked, attempt },
    crossed: false,
  };
  const next = { ...state, record, waiting: [...state.waiting, waiting] };
  return wrong === undefined ? { state: next } : { state: next, wrong };
}

/** The model inspects after a suspicion alone, and once: a daily inspection would change nothing but findings. */
function inspected(record: ManagedKey, observed: ObservedState, nowMs: number): ManagedKey {
  return { ...afterInspection(record, observed, nowMs), inspectedAtMs: neverAgainMs };
}

/** Releases the claim, and removes the mark unless a call has no response. */
function rested(
  state: SearchState,
  pass: Pass,
  finish: Finish,
  without: Part | undefined,
): SearchState {
  const { claim: _, ...record } = state.record;
  const { nowMs } = state;
  const { epoch, uncertain } = pass;
  const unsettled = marksAtRest(record, epoch, uncertain, nowMs, without);
  const ends = unsettled.map(({ untilMs }) => Math.max(untilMs, nowMs));
  const inspectionMs = Math.max(inspectionDueAtMs(record), nowMs + minuteMs);
  const dueAtMs = Math.min(finish.dueAtMs, nowMs + farMs, inspectionMs, ...ends);
  const { kind: waitingFor, findings } = finish;
  const rest = { ...record, unsettled, waitingFor, findings, dueAtMs };
  return { ...state, isNews: false, record: rest };
}

/** Takes the claim (`table.claim`), also by force; the caller checks whether it is free. */
export function claimed(state: SearchState): { state: SearchState; pass: Pass } {
  const { nowMs } = state;
  const epoch = state.record.epoch + 1;
  const deadlineMs = nowMs + runLimitMs;
  const claim = { runId: "run", epoch, untilMs: deadlineMs };
  const record = { ...state.record, epoch, claim, dueAtMs: deadlineMs + minuteMs / 2 };
  const none = { uncertain: false, parked: {}, requests: [], attempt: undefined };
  return { state: { ...state, record }, pass: { epoch, deadlineMs, ...none } };
}
