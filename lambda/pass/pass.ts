/**
 * One managed key's turn in a run: gather, decide, act, until it has to wait. Every write is made on
 * condition of the claim's epoch; a turn whose write is lost has lost its claim, and stops there.
 */
import { act } from "./act.ts";
import { change } from "./change.ts";
import { settleUp } from "./finish.ts";
import { describeError, RotationError } from "../errors.ts";
import { gather } from "./gather.ts";
import { parseRequest } from "../inbound/requests.ts";
import { write } from "./write.ts";
import type { RequestItem, Stored } from "../ports.ts";
import { end, halted, type Ending, type Next, type PassState, type Turn } from "./state.ts";
import {
  absorbDone,
  absorbRefused,
  afterRefusal,
  announce,
  subjectOfCall,
} from "../workflow/absorb.ts";
import { sameFinding, type Finding } from "../workflow/model/findings.ts";
import { violations } from "../workflow/safety/invariants.ts";
import { recheckMs } from "../workflow/model/limits.ts";
import { matterName } from "../workflow/model/record.ts";
import { nothingSeen } from "../workflow/safety/sights.ts";
import type { Decision, Look, ManagedKey, Moment, Request } from "../workflow/model/types.ts";
import { decide } from "../workflow/workflow.ts";

type CallDecision = Extract<Decision, { kind: "call" }>;
/** More decisions than any turn can need: a workflow that does not come to rest is a bug. */
const decisionsPerTurn = 200;

const requestsPerTurn = 50;

/** No call rests on anything seen longer ago than this: looks may be slow, or retried. */
const freshForMs = 60_000;

export async function takeTurn(turn: Turn, claimed: Stored): Promise<Stored> {
  const { table } = turn.ports;
  const asked = undone(await table.requests(claimed.record.alias), claimed.record);
  let state: PassState = {
    stored: atHome(claimed, turn.tableId),
    seen: nothingSeen(),
    seenSinceMs: turn.ports.clock.nowMs(),
    uncertain: false,
    parked: {},
    asked,
  };
  for (let count = 0; count < decisionsPerTurn; count++) {
    const nowMs = turn.ports.clock.nowMs();
    if (nowMs >= turn.stopAtMs) {
      return settleUp(turn, state, { kind: "out-of-time" });
    }
    const moment = momentOf(turn, state, nowMs);
    const { decision, findings } = decide(state.stored.record, state.seen, moment);
    const next = await follow(turn, state, decision, moment);
    if (next.kind === "end") {
      return settleUp(turn, next.state, withFindings(next.ending, findings));
    }
    state = next.state;
  }
  throw new Error(`${claimed.record.alias}: no rest after ${decisionsPerTurn} decisions`);
}

/** As many as one turn can take; the others are still due after it, and have the next. */
function undone(items: RequestItem[], { honoured }: ManagedKey): Request[] {
  const done = items.filter(({ id }) => honoured.some((one) => one.id === id));
  const others = items.filter((item) => !done.includes(item));
  return [...done, ...others.slice(0, requestsPerTurn)].map(parseRequest);
}

/** What an older schema wrote does not say in which table: it is taken to be this one. */
function atHome(stored: Stored, tableId: string): Stored {
  if (stored.record.tableId !== "") return stored;
  return { ...stored, record: { ...stored.record, tableId } };
}

/** What the decision said, and what came of following it. */
function withFindings(ending: Ending, said: Finding[]): Ending {
  if (ending.kind !== "rest" && ending.kind !== "retry") return ending;
  const others = said.filter((one) => !ending.findings.some((known) => sameFinding(one, known)));
  return { ...ending, findings: [...others, ...ending.findings] };
}

function momentOf(turn: Turn, state: PassState, nowMs: number): Moment {
  const { record } = state.stored;
  const done = record.honoured.map(({ id }) => id);
  return {
    nowMs,
    epoch: record.epoch,
    home: turn.home,
    newRotationId: turn.ports.chance.id(),
    uncertain: state.uncertain,
    parked: state.parked,
    mode: turn.mode,
    tableId: turn.tableId,
    head: state.stored.journalHead,
    requests: state.asked.filter(({ id }) => !done.includes(id)),
    ...(turn.attempt === undefined ? {} : { attempt: turn.attempt }),
    ...(turn.drainWatch === undefined ? {} : { drainWatch: turn.drainWatch }),
  };
}

async function follow(
  turn: Turn,
  state: PassState,
  decision: Decision,
  moment: Moment,
): Promise<Next> {
  switch (decision.kind) {
    case "look":
      return look(turn, state, decision.looks);
    case "change":
      return change(turn, state, decision.next, decision.entry, moment);
    case "call":
      if (isStale(state, moment)) return lookAgain(state, moment);
      if (turn.mode === "plan") return planned(state, decision, moment);
      return call(turn, state, decision, moment);
    case "wait": {
      const { untilMs: dueAtMs, reason } = decision;
      return end(state, { kind: "rest", dueAtMs, reason, findings: [], halted: false });
    }
    case "halt":
      return halted(state, decision.finding, moment);
    case "blocked":
      return end(state, { kind: "blocked", dueAtMs: decision.untilMs, reason: decision.reason });
    case "retry":
      return end(state, { kind: "retry", reason: decision.reason, findings: [] });
  }
}

async function look(turn: Turn, state: PassState, looks: Look[]): Promise<Next> {
  const { ports, pacer, stopAtMs } = turn;
  const eyes = { ...ports, pacer, stopAtMs };
  try {
    const startedAtMs = ports.clock.nowMs();
    const seen = await gather(eyes, state.stored.record, state.seen, looks);
    const isFirst = Object.values(state.seen).every((sights) => Object.keys(sights).length === 0);
    const seenSinceMs = isFirst ? startedAtMs : state.seenSinceMs;
    return { kind: "on", state: { ...state, seen, seenSinceMs } };
  } catch (error) {
    if (!(error instanceof RotationError)) throw error;
    turn.telemetry.failed(state.stored.record.alias, error);
    return end(state, { kind: "retry", reason: describeError(error), findings: [] });
  }
}

/** Also what was seen while an earlier call could still land says nothing of what it did. */
function isStale({ stored, seenSinceMs }: PassState, { nowMs, epoch }: Moment): boolean {
  const others = stored.record.unsettled.filter((entry) => entry.epoch !== epoch);
  return (
    nowMs - seenSinceMs > freshForMs ||
    others.some(({ untilMs }) => untilMs > seenSinceMs && untilMs <= nowMs)
  );
}

/** Mode `plan`: what would be called is said, and looked at again in a while. */
function planned(state: PassState, { call: made, reason }: CallDecision, moment: Moment): Next {
  const { nowMs } = moment;
  const subject = subjectOfCall(state.stored.record, made);
  return end(state, {
    kind: "rest",
    dueAtMs: nowMs + recheckMs,
    reason: `would ${made.kind} ${subject}`,
    findings: [],
    halted: false,
    planned: { call: made.kind, subject, reason, sinceMs: nowMs },
  });
}

function lookAgain(state: PassState, moment: Moment): Next {
  return { kind: "on", state: { ...state, seen: nothingSeen(), seenSinceMs: moment.nowMs } };
}

async function call(
  turn: Turn,
  state: PassState,
  decision: CallDecision,
  moment: Moment,
): Promise<Next> {
  const announced = announce(state.stored.record, decision, moment, turn.deadlineMs);
  const marked = await write(turn.ports.table, state.stored, {
    ...state.stored,
    record: announced,
  });
  const broken = violations(announced, decision.call, decision.matter, state.seen, moment);
  if (broken.length > 0) throw new Error(`${announced.alias}: ${broken.join("; ")}`);

  const outcome = await act(turn.ports, turn.pacer, decision.call, turn.deadlineMs);
  const answeredAt = { ...moment, nowMs: turn.ports.clock.nowMs() };
  const told = { alias: announced.alias, call: decision.call.kind, reason: decision.reason };
  const fresh = { ...state, stored: marked, seen: nothingSeen() };
  switch (outcome.kind) {
    case "done": {
      const { next, entry } = absorbDone(marked.record, decision, outcome, answeredAt);
      return change(turn, fresh, next, entry, answeredAt);
    }
    case "refused": {
      turn.telemetry.refused({ ...told, refusal: outcome.refusal, message: outcome.message });
      const record = absorbRefused(marked.record, decision.matter, decision.call);
      const after = afterRefusal(record, decision, outcome, answeredAt);
      const parked = { ...state.parked, [matterName(decision.matter)]: after };
      return { kind: "on", state: { ...fresh, stored: { ...marked, record }, parked } };
    }
    case "unknown":
      turn.telemetry.unanswered({ ...told, message: outcome.message });
      return { kind: "on", state: { ...fresh, uncertain: true } };
  }
}
