/**
 * One pass over a managed key: gather, decide, act, until it has to wait. Every write is
 * conditional on the claim's epoch; a pass that loses a write has lost its claim, and ends there.
 */
import { act } from "./act.ts";
import { change } from "./change.ts";
import { finishPass } from "./finish.ts";
import { describeError, RotationError } from "../errors.ts";
import { gather } from "./gather.ts";
import { parseRequest } from "../inbound/requests.ts";
import { write } from "./write.ts";
import type { RequestItem, Stored } from "../ports.ts";
import { end, halted, type Finish, type Next, type PassState, type Pass } from "./state.ts";
import {
  applyDone,
  applyRefused,
  afterRefusal,
  announce,
  subjectOfCall,
} from "../workflow/apply-outcome.ts";
import { effects, isUrgent, sameFinding, type Finding } from "../workflow/model/findings.ts";
import { violations } from "../workflow/safety/invariants.ts";
import { recheckMs } from "../workflow/model/limits.ts";
import { matterName } from "../workflow/model/record.ts";
import { nothingObserved } from "../workflow/safety/observations.ts";
import type {
  Call,
  Decision,
  KmsRead,
  ManagedKey,
  Context,
  Request,
} from "../workflow/model/types.ts";
import { decide } from "../workflow/workflow.ts";

type CallDecision = Extract<Decision, { kind: "call" }>;
/** More decisions than any pass can need, beside copies of grants: a workflow that never rests is a bug. */
const decisionsPerPass = 200;

/** The next pass copies the rest: the journal lines of one pass stay in the record until its end. */
const grantsPerPass = 50;

const requestsPerPass = 50;

/** No call uses an older observation: reads may be slow, or retried. */
const freshForMs = 60_000;

export async function makePass(pass: Pass, claimed: Stored): Promise<Stored> {
  const { table } = pass.ports;
  const asked = undone(await table.requests(claimed.record.alias), claimed.record);
  let state: PassState = {
    stored: atHome(claimed, pass.tableId),
    observed: nothingObserved(),
    observedSinceMs: pass.ports.clock.nowMs(),
    uncertain: false,
    parked: {},
    asked,
    grantsMade: 0,
  };
  for (let count = 0; count < decisionsPerPass; count++) {
    const nowMs = pass.ports.clock.nowMs();
    if (nowMs >= pass.stopAtMs || state.grantsMade >= grantsPerPass) {
      return finishPass(pass, state, { kind: "out-of-time" });
    }
    const context = contextOf(pass, state, nowMs);
    const { decision, findings } = decide(state.stored.record, state.observed, context);
    const next = await follow(pass, state, decision, context);
    if (next.kind === "end") {
      return finishPass(pass, next.state, withFindings(next.finish, findings));
    }
    if (next.state.grantsMade > state.grantsMade) count = 0;
    state = next.state;
  }
  throw new Error(`${claimed.record.alias}: no rest after ${decisionsPerPass} decisions`);
}

/** As many as one pass can take; the others stay due for the next pass. */
function undone(items: RequestItem[], { fulfilled }: ManagedKey): Request[] {
  const done = items.filter(({ id }) => fulfilled.some((one) => one.id === id));
  const others = items.filter((item) => !done.includes(item));
  return [...done, ...others.slice(0, requestsPerPass)].map(parseRequest);
}

/** A record of an older schema has no table id: it gets this table's. */
function atHome(stored: Stored, tableId: string): Stored {
  if (stored.record.tableId !== "") return stored;
  return { ...stored, record: { ...stored.record, tableId } };
}

/** Adds the decision's findings to those of its execution. */
function withFindings(finish: Finish, known: Finding[]): Finish {
  if (finish.kind === "out-of-time") return finish;
  if (finish.kind === "blocked") {
    // CloudTrail shows an outage, and an inspection waits until no call of keyturn's own confuses its reads.
    return { ...finish, findings: known.filter(isUrgent) };
  }
  const others = known.filter((one) => !finish.findings.some((known) => sameFinding(one, known)));
  const findings = [...others, ...finish.findings];
  if (finish.kind !== "rest") return { ...finish, findings };
  // An old version that waits for an operator halts its own rotation.
  const halted = finish.halted || findings.some(({ code }) => effects[code] === "halt");
  return { ...finish, findings, halted };
}

function contextOf(pass: Pass, state: PassState, nowMs: number): Context {
  const { record } = state.stored;
  const done = record.fulfilled.map(({ id }) => id);
  return {
    nowMs,
    epoch: record.epoch,
    home: pass.home,
    newRotationId: pass.ports.chance.id(),
    uncertain: state.uncertain,
    parked: state.parked,
    mode: pass.mode,
    tableId: pass.tableId,
    head: state.stored.journalHead,
    requests: state.asked.filter(({ id }) => !done.includes(id)),
    ...(pass.attempt === undefined ? {} : { attempt: pass.attempt }),
    ...(pass.drainWatch === undefined ? {} : { drainWatch: pass.drainWatch }),
    ...(pass.refusalsWatch === undefined ? {} : { refusalsWatch: pass.refusalsWatch }),
    acceptedRefusals: pass.acceptedRefusals,
  };
}

async function follow(
  pass: Pass,
  state: PassState,
  decision: Decision,
  context: Context,
): Promise<Next> {
  switch (decision.kind) {
    case "observe":
      return read(pass, state, decision.reads);
    case "change":
      return change(pass, state, decision.next, decision.entry, context);
    case "call":
      if (isStale(state, context)) return observeAgain(state, context);
      if (pass.mode === "plan") return planned(state, decision, context);
      return call(pass, state, decision, context);
    case "wait": {
      const { untilMs: dueAtMs, reason } = decision;
      return end(state, { kind: "rest", dueAtMs, reason, findings: [], halted: false });
    }
    case "halt":
      return halted(state, decision.finding, context);
    case "blocked": {
      const { untilMs: dueAtMs, reason } = decision;
      return end(state, { kind: "blocked", dueAtMs, reason, findings: [] });
    }
    case "retry":
      return end(state, { kind: "retry", reason: decision.reason, findings: [] });
  }
}

async function read(pass: Pass, state: PassState, reads: KmsRead[]): Promise<Next> {
  const { ports, pacer, stopAtMs } = pass;
  const source = { ...ports, pacer, stopAtMs };
  try {
    const startedAtMs = ports.clock.nowMs();
    const observed = await gather(source, state.stored.record, state.observed, reads);
    const isFirst = Object.values(state.observed).every(
      (observations) => Object.keys(observations).length === 0,
    );
    const observedSinceMs = isFirst ? startedAtMs : state.observedSinceMs;
    return { kind: "on", state: { ...state, observed, observedSinceMs } };
  } catch (error) {
    if (!(error instanceof RotationError)) throw error;
    pass.telemetry.failed(state.stored.record.alias, error);
    return end(state, { kind: "retry", reason: describeError(error), findings: [] });
  }
}

/** Also stale: an observation from a time when an earlier call could still take effect. */
function isStale({ stored, observedSinceMs }: PassState, { nowMs, epoch }: Context): boolean {
  const others = stored.record.unsettled.filter((entry) => entry.epoch !== epoch);
  return (
    nowMs - observedSinceMs > freshForMs ||
    others.some(({ untilMs }) => untilMs > observedSinceMs && untilMs <= nowMs)
  );
}

/** Mode `plan`: reports the planned call, and checks again later. */
function planned(state: PassState, { call: made, reason }: CallDecision, context: Context): Next {
  const { nowMs } = context;
  const subject = subjectOfCall(state.stored.record, made);
  return end(state, {
    kind: "rest",
    dueAtMs: nowMs + recheckMs,
    reason: `would call ${made.kind}: ${subject}`,
    findings: [],
    halted: false,
    planned: { call: made.kind, subject, reason, sinceMs: nowMs },
  });
}

function observeAgain(state: PassState, context: Context): Next {
  return {
    kind: "on",
    state: { ...state, observed: nothingObserved(), observedSinceMs: context.nowMs },
  };
}

async function call(
  pass: Pass,
  state: PassState,
  decision: CallDecision,
  context: Context,
): Promise<Next> {
  const announced = announce(state.stored.record, decision, context, pass.deadlineMs);
  const marked = await write(pass.ports.table, state.stored, {
    ...state.stored,
    record: announced,
  });
  const broken = violations(announced, decision.call, decision.matter, state.observed, context);
  if (broken.length > 0) throw new Error(`${announced.alias}: ${broken.join("; ")}`);

  const outcome = await act(pass.ports, pass.pacer, decision.call, pass.deadlineMs);
  const answeredAt = { ...context, nowMs: pass.ports.clock.nowMs() };
  const report = { alias: announced.alias, call: decision.call.kind, reason: decision.reason };
  const fresh = { ...state, stored: marked, observed: nothingObserved() };
  switch (outcome.kind) {
    case "done": {
      const { next, entry } = applyDone(marked.record, decision, outcome, answeredAt);
      return change(pass, withGrants(fresh, state, decision.call), next, entry, answeredAt);
    }
    case "refused": {
      pass.telemetry.refused({ ...report, refusal: outcome.refusal, message: outcome.message });
      const record = applyRefused(marked.record, decision.matter, decision.call);
      const after = afterRefusal(record, decision, outcome, answeredAt);
      const parked = { ...state.parked, [matterName(decision.matter)]: after };
      return { kind: "on", state: { ...fresh, stored: { ...marked, record }, parked } };
    }
    case "unknown":
      pass.telemetry.unanswered({ ...report, message: outcome.message });
      return { kind: "on", state: { ...fresh, uncertain: true } };
  }
}

/** Copying lists grants once a pass: the record names each copy, and a key may have hundreds of grants. */
function withGrants(after: PassState, { observed, grantsMade }: PassState, made: Call): PassState {
  if (made.kind !== "CreateKey" && made.kind !== "CreateGrant") return after;
  const kept = { ...after.observed, grants: observed.grants };
  const more = made.kind === "CreateGrant" ? 1 : 0;
  return { ...after, observed: kept, grantsMade: grantsMade + more };
}
