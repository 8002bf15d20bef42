/** What can happen next in a state: every way in which it goes on, and what is wrong with it. */
import { absorbDone, absorbRefused, afterRefusal } from "../../lambda/workflow/absorb.ts";
import { matterName } from "../../lambda/workflow/record.ts";
import type { Call, ManagedKey, Moment, Outcome, Request } from "../../lambda/workflow/types.ts";
import { alias, attemptWithinMs, home, lateMs, tableId } from "./fixture.ts";
import { keyNamed, land, withKey, type Landing } from "./model-kms.ts";
import { wrongWith } from "./properties.ts";
import type { Part } from "./rule.ts";
import type { Budget, Flight, ModelKey, State, Waiting } from "./state.ts";
import { claimed, proceed, type Turn } from "./turn.ts";

/** `wrong`: what the move has broken. */
export type Move = { name: string; state: State; wrong?: string };

export type Bounds = { workers: number; without: Part | undefined };

export function movesOf(state: State, bounds: Bounds): Move[] {
  return [
    ...state.waiting.flatMap((waiting) => answers(state, waiting, bounds)),
    ...state.flights.map((flight) => arrival(state, flight)),
    ...runs(state, bounds),
    ...asked(state, bounds),
    ...attempts(state, bounds),
    ...others(state),
    ...later(state, bounds),
  ];
}

function spend(state: State, what: keyof Budget): State {
  return { ...state, budget: { ...state.budget, [what]: state.budget[what] - 1 } };
}

export function describe(call: Call): string {
  if (call.kind === "CreateKey") return "CreateKey";
  if (call.kind === "UpdateAlias") return `UpdateAlias to ${call.keyId}`;
  return `${call.kind} ${call.keyId}`;
}

/** What a call does to KMS as it lands, and whether that may not be. */
function landed(
  state: State,
  call: Call,
  epoch: number,
): { after: State; landing: Landing; wrong?: string } {
  const landing = land(state.kms, call, state.nowMs);
  if (landing.kind === "refused") return { after: state, landing };
  const wrong = wrongWith(state, call, epoch);
  const attempts =
    call.kind === "EnableKey"
      ? state.attempts.map((one) => (one.keyId === call.keyId ? { ...one, overtaken: true } : one))
      : state.attempts;
  return { after: { ...state, kms: landing.kms, attempts }, landing, ...(wrong && { wrong }) };
}

/** A call of which the sender will not hear lands after all. */
function arrival(state: State, flight: Flight): Move {
  const flights = state.flights.filter((one) => one !== flight);
  const { after, wrong } = landed({ ...state, flights }, flight.call, flight.epoch);
  const name = `${describe(flight.call)} of run ${flight.epoch} lands late`;
  return { name, state: after, ...(wrong && { wrong }) };
}

/** The ways in which a run that waits is answered, or is not. */
function answers(state: State, waiting: Waiting, { without }: Bounds): Move[] {
  const { epoch, decision, deadlineMs } = waiting;
  const { call } = decision;
  const what = `${describe(call)} of run ${epoch}`;
  const free = { ...state, waiting: state.waiting.filter((one) => one !== waiting) };
  const { after, landing, wrong } = landed(free, call, epoch);
  const broken = wrong === undefined ? {} : { wrong };
  const moves: Move[] = [
    {
      name: `${what} lands (${landing.kind}), and is answered`,
      state: answered(after, waiting, landing, without),
      ...broken,
    },
  ];
  if (state.budget.faults === 0) return moves;
  const faulty = spend(free, "faults");
  const flight = { call, epoch, latestMs: deadlineMs + lateMs };
  const pending = { ...faulty, flights: [...faulty.flights, flight] };
  const afterFault = spend(after, "faults");
  return [
    ...moves,
    {
      name: `${what} lands, and its answer is lost`,
      state: doubtful(afterFault, waiting, without),
      ...broken,
    },
    { name: `${what} lands, and its run dies`, state: afterFault, ...broken },
    { name: `${what} is on its way when its run dies, or is given up by it`, state: pending },
    {
      name: `${what} is given up, and its run goes on`,
      state: doubtful(pending, waiting, without),
    },
    { name: `${what} is never sent: its run dies`, state: faulty },
  ];
}

function turnOf({ epoch, deadlineMs, parked, attemptOn }: Waiting, uncertain: boolean): Turn {
  const attempt = attemptOn === undefined ? undefined : attemptTo(attemptOn, 0);
  return { epoch, deadlineMs, uncertain, parked, requests: [], attempt };
}

/** Whoever has lost the claim can write no more, and stops there. */
function holds(state: State, { epoch }: Waiting): boolean {
  return state.record.epoch === epoch;
}

function answered(
  state: State,
  waiting: Waiting,
  landing: Landing,
  without: Part | undefined,
): State {
  if (!holds(state, waiting)) return state;
  const { decision, epoch } = waiting;
  const moment = momentOf(state, epoch);
  if (landing.kind === "done") {
    const { made, deletionAtMs } = landing;
    const outcome: Extract<Outcome, { kind: "done" }> = {
      kind: "done",
      ...(made && { keyId: made.id, arn: made.id, createdAtMs: made.createdAtMs }),
      ...(deletionAtMs !== undefined && { deletionAtMs }),
    };
    const { next } = absorbDone(state.record, decision, outcome, moment);
    const record: ManagedKey = { ...next, closed: [] };
    return proceed({ ...state, record }, turnOf(waiting, false), without);
  }
  const { matter, call } = decision;
  const record = absorbRefused(state.record, matter, call);
  const refused = { kind: "refused", refusal: landing.refusal, message: "" } as const;
  const after = afterRefusal(record, decision, refused, moment);
  const turn = turnOf(waiting, false);
  const parked = { ...turn.parked, [matterName(matter)]: after };
  return proceed({ ...state, record }, { ...turn, parked }, without);
}

function doubtful(state: State, waiting: Waiting, without: Part | undefined): State {
  return holds(state, waiting) ? proceed(state, turnOf(waiting, true), without) : state;
}

function momentOf(state: State, epoch: number): Moment {
  const { nowMs } = state;
  const none = { uncertain: false, parked: {}, requests: [] };
  return { nowMs, epoch, home, newRotationId: "none", mode: "act", tableId, ...none };
}

function isFree(state: State, { workers }: Bounds): boolean {
  const { claim } = state.record;
  const held = claim !== undefined && claim.untilMs >= state.nowMs;
  return !held && state.waiting.length < workers;
}

/** The schedule starts a run, where something is due. */
function runs(state: State, bounds: Bounds): Move[] {
  if (state.record.dueAtMs > state.nowMs || !isFree(state, bounds)) return [];
  const { state: held, turn } = claimed(state);
  return [{ name: `run ${turn.epoch} begins`, state: proceed(held, turn, bounds.without) }];
}

function asked(state: State, bounds: Bounds): Move[] {
  if (!isFree(state, bounds)) return [];
  const { budget, record } = state;
  const serving = record.versions.find(({ standing }) => standing === "serving");
  const moves: Move[] = [];
  const ask = (kind: "rotate" | "rollback" | "resume", after: State, what: Request): void => {
    const { state: held, turn } = claimed(after);
    const next = proceed(held, { ...turn, requests: [what] }, bounds.without);
    moves.push({ name: `somebody asks for ${kind}, and run ${turn.epoch} begins`, state: next });
  };
  const by = { id: "request", by: "ada", reason: "" };
  if (budget.rotates > 0 && record.wanted === undefined) {
    ask("rotate", spend(state, "rotates"), { ...by, kind: "rotate" });
  }
  if (budget.rollbacks > 0 && serving !== undefined) {
    const newest = record.rotations.find(
      ({ step }) => step === "distribute" || step === "activate",
    );
    const version = newest?.to ?? serving.number;
    ask("rollback", spend(state, "rollbacks"), { ...by, kind: "rollback", version });
  }
  if (budget.resumes > 0 && record.stops.length > 0) {
    const after = { ...spend(state, "resumes"), answered: [] };
    ask("resume", after, { ...by, kind: "resume" });
  }
  return moves;
}

/** The handler hears of a use attempt, and takes the claim by force. */
function attempts(state: State, bounds: Bounds): Move[] {
  return state.attempts.flatMap((attempt) => {
    if (state.waiting.length >= bounds.workers) return [];
    const { keyId, atMs, overtaken } = attempt;
    const rest = { ...state, attempts: state.attempts.filter((one) => one !== attempt) };
    const { state: held, turn } = claimed(rest);
    // What KMS has deleted by the time it is heard of, nobody can bring back.
    const isOurs =
      keyNamed(state.kms, keyId) !== undefined &&
      state.record.versions.some((version) => version.keyId === keyId);
    const answered = isOurs && !overtaken ? [...new Set([...held.answered, keyId])] : held.answered;
    const next = proceed(
      { ...held, answered },
      { ...turn, attempt: attemptTo(keyId, atMs) },
      bounds.without,
    );
    return [{ name: `run ${turn.epoch} hears of the attempt to use ${keyId}`, state: next }];
  });
}

function attemptTo(keyId: string, atMs: number) {
  const said = { eventId: "event", operation: "Decrypt", principal: "somebody" };
  return { ...said, keyId, atMs, encryptionContextKeys: [] };
}

/** What nobody asks keyturn for. */
function others(state: State): Move[] {
  const { kms, budget } = state;
  const retired = kms.keys.filter(({ id, served }) => served && id !== kms.target);
  const uses = budget.uses === 0 ? [] : retired.map((key) => use(spend(state, "uses"), key));
  if (budget.outside === 0) return uses;
  const after = spend(state, "outside");
  const meddling = retired.flatMap((key) => [
    moved(after, key),
    switched(after, key, key.state === "Enabled" ? "Disabled" : "Enabled"),
  ]);
  return [...uses, ...meddling.filter((move) => move !== undefined)];
}

function use(state: State, key: ModelKey): Move {
  const name = `somebody uses ${key.id}, which is ${key.state}`;
  if (key.state === "Enabled") {
    return {
      name,
      state: { ...state, kms: withKey(state.kms, { ...key, usedAtMs: state.nowMs }) },
    };
  }
  const attempt = { keyId: key.id, atMs: state.nowMs, overtaken: false };
  return { name, state: { ...state, attempts: [...state.attempts, attempt] } };
}

function moved(state: State, key: ModelKey): Move | undefined {
  const landing = land(state.kms, { kind: "UpdateAlias", alias, keyId: key.id }, state.nowMs);
  if (landing.kind === "refused") return undefined;
  const touched = [...new Set([...state.touched, "alias", key.id])];
  return {
    name: `a person moves the alias to ${key.id}`,
    state: { ...state, kms: landing.kms, touched },
  };
}

function switched(state: State, key: ModelKey, to: "Enabled" | "Disabled"): Move | undefined {
  if (key.state === "PendingDeletion") return undefined;
  const touched = [...new Set([...state.touched, key.id])];
  const kms = withKey(state.kms, { ...key, state: to });
  return { name: `a person makes ${key.id} ${to}`, state: { ...state, kms, touched } };
}

/**
 * Time passes, as far as to the next moment at which anything can be otherwise; not past a moment at
 * which the schedule starts a run, or a use attempt is heard of.
 */
function later(state: State, bounds: Bounds): Move[] {
  const { record, flights, kms, nowMs } = state;
  const isAwaited = state.attempts.some(({ atMs }) => nowMs >= atMs + attemptWithinMs);
  const isDue = record.dueAtMs <= nowMs && isFree(state, bounds);
  if (state.waiting.length > 0 || isAwaited || isDue) return [];
  const moments = [
    ...state.attempts.map(({ atMs }) => atMs + attemptWithinMs),
    record.dueAtMs,
    ...(record.claim === undefined ? [] : [record.claim.untilMs + 1]),
    ...record.unsettled.map(({ untilMs }) => untilMs),
    ...flights.map(({ latestMs }) => latestMs),
    ...kms.keys.flatMap(({ deletionAtMs }) => deletionAtMs ?? []),
  ].filter((moment) => moment > nowMs);
  if (moments.length === 0) return [];
  const atMs = Math.min(...moments);
  const gone = kms.keys.filter(({ deletionAtMs }) => (deletionAtMs ?? Infinity) <= atMs);
  const keys = kms.keys.filter((key) => !gone.includes(key));
  const next: State = {
    ...state,
    nowMs: atMs,
    // What has not landed by then never does.
    flights: flights.filter(({ latestMs }) => latestMs > nowMs),
    kms: gone.length === 0 ? kms : { ...kms, keys },
  };
  const lost = gone.find(({ id }) => state.answered.includes(id) && !state.touched.includes(id));
  const wrong = lost === undefined ? {} : { wrong: `${lost.id}, which is in use, is deleted` };
  return [{ name: "time passes", state: next, ...wrong }];
}
