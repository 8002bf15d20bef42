/**
 * A run's turn up to the call that it sends, or to its rest: the production functions, in the order in
 * which `lambda/turn.ts`, `change.ts` and `ending.ts` call them. Looks are instantaneous; the table
 * never fails; what nothing decides by (journal, findings, backoff) is left out.
 */
import { announce } from "../../lambda/workflow/absorb.ts";
import { violations } from "../../lambda/workflow/invariants.ts";
import { recheckMs } from "../../lambda/workflow/limits.ts";
import { leftUnsettled } from "../../lambda/workflow/settle.ts";
import { nothingSeen } from "../../lambda/workflow/sights.ts";
import type {
  Decision,
  ManagedKey,
  Moment,
  Request,
  Seen,
  UseAttempt,
} from "../../lambda/workflow/types.ts";
import { decide } from "../../lambda/workflow/workflow.ts";
import { home, runLimitMs, tableId } from "./fixture.ts";
import { looked } from "./model-kms.ts";
import { shown, type Part } from "./rule.ts";
import type { CallDecision, State, Waiting } from "./state.ts";

const decisionsMax = 60;

export type Turn = {
  epoch: number;
  deadlineMs: number;
  uncertain: boolean;
  parked: Readonly<Record<string, Decision>>;
  requests: Request[];
  attempt: UseAttempt | undefined;
};

/** The state in which the run waits for an answer, or has come to rest. */
export function proceed(state: State, turn: Turn, without: Part | undefined): State {
  let { record } = state;
  let seen = nothingSeen();
  let { requests } = turn;
  let { opened } = state;
  const { nowMs } = state;
  for (let count = 0; count < decisionsMax; count++) {
    const moment: Moment = {
      nowMs,
      epoch: turn.epoch,
      home,
      newRotationId: `rotation-${opened + 1}`,
      uncertain: turn.uncertain,
      parked: turn.parked,
      mode: "act",
      tableId,
      requests,
      ...(turn.attempt === undefined ? {} : { attempt: turn.attempt }),
    };
    const view = shown(record, moment, without);
    const { decision } = decide(view.record, seen, view.moment);
    switch (decision.kind) {
      case "look":
        seen = looked(state.kms, nowMs, seen, decision.looks);
        break;
      case "change": {
        const next = plain({ ...decision.next, unsettled: record.unsettled });
        const done = decision.next.honoured.map(({ id }) => id);
        requests = requests.filter(({ id }) => !done.includes(id));
        seen = stepEnded(record, next) ? nothingSeen() : seen;
        if (next.rotations.some(({ id }) => id === `rotation-${opened + 1}`)) opened += 1;
        record = next;
        break;
      }
      case "call":
        return sent({ ...state, record, opened }, turn, decision, moment, seen, without);
      case "wait":
      case "blocked":
        return rested({ ...state, record, opened }, turn, decision.untilMs, without);
      case "retry":
        return rested({ ...state, record, opened }, turn, nowMs + 60_000, without);
      case "halt":
        return rested({ ...state, record, opened }, turn, nowMs + recheckMs, without);
    }
  }
  throw new Error("no rest");
}

function sent(
  state: State,
  turn: Turn,
  decision: CallDecision,
  moment: Moment,
  seen: Seen,
  without: Part | undefined,
): State {
  const announced = announce(state.record, decision, moment, turn.deadlineMs);
  const record =
    without === "list"
      ? { ...announced, unsettled: announced.unsettled.filter(({ epoch }) => epoch === turn.epoch) }
      : announced;
  if (without === undefined) {
    const broken = violations(record, decision.call, decision.matter, seen, moment);
    if (broken.length > 0) throw new Error(broken.join("; "));
  }
  const waiting: Waiting = {
    epoch: turn.epoch,
    decision,
    deadlineMs: turn.deadlineMs,
    parked: turn.parked,
    attemptOn: turn.attempt?.keyId,
  };
  return { ...state, record: plain(record), waiting: [...state.waiting, waiting] };
}

/** As `ending.ts` leaves it: the claim given back, and the mark, unless a call has no answer. */
function rested(state: State, turn: Turn, dueAtMs: number, without: Part | undefined): State {
  const { claim: _, ...record } = state.record;
  const { nowMs } = state;
  const uncertain = turn.uncertain && without !== "mark kept";
  const unsettled = leftUnsettled(record.unsettled, turn.epoch, uncertain, nowMs);
  const due = Math.min(
    dueAtMs,
    nowMs + 1000 * 3_600_000,
    ...unsettled.map(({ untilMs }) => untilMs),
  );
  return { ...state, record: { ...record, unsettled, dueAtMs: Math.max(due, nowMs + 1) } };
}

/** Without what has left for items of its own, and what is only told. */
function plain(record: ManagedKey): ManagedKey {
  return { ...record, closed: [], honoured: [], refused: [], findings: [], revision: 0 };
}

function stepEnded(before: ManagedKey, next: ManagedKey): boolean {
  return next.rotations.some(({ id, step }) => {
    const was = before.rotations.find((rotation) => rotation.id === id);
    return was !== undefined && was.step !== step;
  });
}

/** A claim taken: by whoever may, or by force. */
export function claimed(state: State): { state: State; turn: Turn } {
  const { nowMs } = state;
  const epoch = state.record.epoch + 1;
  const deadlineMs = nowMs + runLimitMs;
  const claim = { runId: "run", epoch, untilMs: deadlineMs };
  const record = { ...state.record, epoch, claim, dueAtMs: deadlineMs + 30_000 };
  const turn = {
    epoch,
    deadlineMs,
    uncertain: false,
    parked: {},
    requests: [],
    attempt: undefined,
  };
  return { state: { ...state, record }, turn };
}
