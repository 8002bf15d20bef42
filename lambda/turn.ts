/**
 * One managed key's turn in a run: gather, decide, act, until it has to wait. Every write is made on
 * condition of the claim's epoch; a turn whose write is lost has lost its claim, and stops there.
 */
import { act } from "./act.ts";
import { settleUp, type Ending } from "./ending.ts";
import { describeError, RotationError } from "./errors.ts";
import { gather } from "./gather.ts";
import { transition } from "./journal.ts";
import { write } from "./write.ts";
import type { Telemetry } from "./telemetry.ts";
import type { Pacer } from "./pacer.ts";
import type { Ports, Stored } from "./ports.ts";
import { absorbDone, absorbRefused, afterRefusal, announce } from "./workflow/absorb.ts";
import { finding, sameFinding, type Finding } from "./workflow/findings.ts";
import { violations } from "./workflow/invariants.ts";
import { recheckMs } from "./workflow/limits.ts";
import { matterName } from "./workflow/record.ts";
import { nothingSeen } from "./workflow/sights.ts";
import type {
  Decision,
  EntryDraft,
  Home,
  Look,
  ManagedKey,
  Moment,
  Seen,
} from "./workflow/types.ts";
import { decide } from "./workflow/workflow.ts";

export type Turn = {
  ports: Ports;
  pacer: Pacer;
  telemetry: Telemetry;
  /** The run may not outlive this: no call is sent later. */
  deadlineMs: number;
  /** From here on the run only leaves off. */
  stopAtMs: number;
  home: Home | undefined;
};

/** What a turn holds between two decisions. */
type State = {
  stored: Stored;
  seen: Seen;
  /** When the oldest of what was seen was looked at. */
  seenSinceMs: number;
  uncertain: boolean;
  parked: Moment["parked"];
};

type CallDecision = Extract<Decision, { kind: "call" }>;
type Next = { kind: "on"; state: State } | { kind: "end"; state: State; ending: Ending };

/** More decisions than any turn can need: a workflow that does not come to rest is a bug. */
const decisionsPerTurn = 200;

/** No call rests on anything seen longer ago than this: looks may be slow, or retried. */
const freshForMs = 60_000;

export async function takeTurn(turn: Turn, claimed: Stored): Promise<Stored> {
  let state: State = {
    stored: claimed,
    seen: nothingSeen(),
    seenSinceMs: turn.ports.clock.nowMs(),
    uncertain: false,
    parked: {},
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

/** What the decision said, and what came of following it. */
function withFindings(ending: Ending, said: Finding[]): Ending {
  if (ending.kind !== "rest" && ending.kind !== "retry") return ending;
  const others = said.filter((one) => !ending.findings.some((known) => sameFinding(one, known)));
  return { ...ending, findings: [...others, ...ending.findings] };
}

function momentOf(turn: Turn, state: State, nowMs: number): Moment {
  return {
    nowMs,
    epoch: state.stored.record.epoch,
    home: turn.home,
    newRotationId: turn.ports.chance.id(),
    uncertain: state.uncertain,
    parked: state.parked,
  };
}

async function follow(turn: Turn, state: State, decision: Decision, moment: Moment): Promise<Next> {
  switch (decision.kind) {
    case "look":
      return look(turn, state, decision.looks);
    case "change":
      return change(turn, state, decision.next, decision.entry, moment);
    case "call":
      if (moment.nowMs - state.seenSinceMs > freshForMs) return lookAgain(state, moment);
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

async function look(turn: Turn, state: State, looks: Look[]): Promise<Next> {
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

function lookAgain(state: State, moment: Moment): Next {
  return { kind: "on", state: { ...state, seen: nothingSeen(), seenSinceMs: moment.nowMs } };
}

function end(state: State, ending: Ending): Next {
  return { kind: "end", state, ending };
}

function halted(state: State, what: Finding, moment: Moment): Next {
  const dueAtMs = moment.nowMs + recheckMs;
  return end(state, {
    kind: "rest",
    dueAtMs,
    reason: `halted: ${what.code}`,
    findings: [what],
    halted: true,
  });
}

/** A KMS key is bound to this managed key before the record names it. */
async function change(
  turn: Turn,
  state: State,
  next: ManagedKey,
  entry: EntryDraft,
  moment: Moment,
): Promise<Next> {
  const before = state.stored.record;
  const { table } = turn.ports;
  for (const { keyId } of next.versions) {
    if (before.versions.some((version) => version.keyId === keyId)) continue;
    const bound = await table.bind(keyId, next.alias, moment.nowMs);
    if (bound.kind === "taken") {
      const seen = `${keyId} is a version of ${bound.by} already`;
      const command = `aws kms list-aliases --key-id ${keyId}`;
      const taken = finding("KEY_ALREADY_MANAGED", next.alias, seen, command, moment.nowMs);
      return halted(state, taken, moment);
    }
  }
  // KMS has deleted it: nobody else can come to own it, and a crash in between unbinds it again.
  for (const { keyId } of before.versions) {
    const gone = next.versions.every((version) => version.keyId !== keyId);
    if (gone) await table.unbind(keyId, next.alias);
  }
  const stored = await commit(turn, state.stored, next, entry, moment);
  return { kind: "on", state: { ...state, stored, seen: stillSeen(state, next) } };
}

/** What was seen before a step ended does not decide on the next: destruction reads afresh. */
function stillSeen(state: State, next: ManagedKey): Seen {
  const stepEnded = next.rotations.some(({ id, step }) => {
    const before = state.stored.record.rotations.find((rotation) => rotation.id === id);
    return before !== undefined && before.step !== step;
  });
  return stepEnded ? nothingSeen() : state.seen;
}

async function call(
  turn: Turn,
  state: State,
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

async function commit(
  turn: Turn,
  before: Stored,
  next: ManagedKey,
  entry: EntryDraft,
  moment: Moment,
): Promise<Stored> {
  const stored = transition(before, next, entry, moment.nowMs);
  await write(turn.ports.table, before, stored);
  turn.telemetry.transition(stored);
  return stored;
}
