/** The outcomes of a call in flight, and how its run applies the one that it receives. */
import { applyDone, applyRefused, afterRefusal } from "../../lambda/workflow/apply-outcome.ts";
import { matterName } from "../../lambda/workflow/model/record.ts";
import { unsettledUntilMs } from "../../lambda/workflow/safety/settle.ts";
import { consistencyMs } from "../../lambda/workflow/model/limits.ts";
import type { Call, Outcome } from "../../lambda/workflow/model/types.ts";
import { land, type Landing } from "./model-kms.ts";
import { spend, type Bounds, type Move } from "./move.ts";
import { wrongToLand } from "./properties.ts";
import type { Part } from "./rule.ts";
import { deaths, movedOn } from "./runs.ts";
import {
  shownOf,
  type Flight,
  type Lag,
  type Pending,
  type SearchState,
  type Waiting,
} from "./state.ts";
import { changed, searchContextOf, proceed, type Proceeded, type Pass } from "./pass.ts";

export function describe(call: Call): string {
  if (call.kind === "CreateKey") return "CreateKey";
  if (call.kind === "UpdateAlias") return `UpdateAlias to ${call.keyId}`;
  return `${call.kind} ${call.keyId}`;
}

/** The effect of a call on KMS when it lands, and the property that this violates, if any. */
function landed(
  state: SearchState,
  pending: Pending,
): { after: SearchState; landing: Landing; wrong?: string } {
  const landing = land(state.kms, pending.decision.call, state.nowMs);
  if (landing.kind === "refused") return { after: state, landing };
  const wrong = wrongToLand(state, pending);
  const after = { ...state, kms: landing.kms };
  return wrong === undefined ? { after, landing } : { after, landing, wrong };
}

/** A call lands whose sender no longer waits for it. */
export function arrivals(state: SearchState, flight: Flight): Move[] {
  const flights = state.flights.filter((one) => one !== flight);
  const { after, landing, wrong } = landed({ ...state, flights }, flight);
  const name = `${describe(flight.decision.call)} of run ${flight.epoch} lands late`;
  const broken = wrong === undefined ? {} : { wrong };
  const moves: Move[] = [{ name, state: after, ...broken }];
  if (landing.kind === "done" && state.budget.lags > 0) {
    moves.push({
      name: `${name}${unobserved}`,
      state: lagging(state, after, flight.decision.call),
      ...broken,
    });
  }
  return moves;
}

const unobserved = ", and reads do not show it yet";

/** Reads still show the earlier state. */
function lagging(before: SearchState, after: SearchState, call: Call): SearchState {
  const of = aspects[call.kind];
  const made = after.kms.keys.at(-1);
  const keyId = call.kind === "CreateKey" ? (made?.id ?? "") : call.keyId;
  const lag = { of, keyId, before: shownOf(before), untilMs: after.nowMs + consistencyMs };
  return { ...spend(after, "lags"), lag };
}

const aspects: Record<Call["kind"], Lag["of"]> = {
  CreateKey: "key",
  UpdateAlias: "alias",
  TagResource: "tags",
  UntagResource: "tags",
  CancelKeyDeletion: "state",
  EnableKey: "state",
  DisableKey: "state",
  ScheduleKeyDeletion: "state",
  CreateGrant: "key",
};

/** The outcomes for a run that waits for a response; the first is the one without a fault. */
export function answersTo(state: SearchState, waiting: Waiting, { without }: Bounds): Move[] {
  const { epoch, decision } = waiting;
  const what = `${describe(decision.call)} of run ${epoch}`;
  const free = { ...state, waiting: state.waiting.filter((one) => one !== waiting) };
  const { after, landing, wrong } = landed(free, waiting);
  const how = landing.kind === "done" ? "lands" : `is refused (${landing.refusal})`;
  const isHeard = state.record.epoch === epoch;
  const well = `${what} ${how}, and ${isHeard ? "is answered" : "its run has lost the claim"}`;
  const heard = isHeard
    ? answered(after, waiting, landing, without)
    : { state: after, written: [] };
  const moves = [movedOn(well, heard, wrong)];
  if (landing.kind === "done" && state.budget.lags > 0) {
    const blind = lagging(state, after, decision.call);
    const on = isHeard ? answered(blind, waiting, landing, without) : { state: blind, written: [] };
    moves.push(movedOn(`${well}${unobserved}`, on, wrong));
  }
  if (state.budget.faults === 0) return moves;
  if (!isHeard) return [...moves, ...astray(what, spend(free, "faults"), waiting)];
  moves.push(...deaths(well, `run ${epoch}`, heard.written, wrong));
  return [...moves, ...faults(what, free, waiting, { after, ...(wrong && { wrong }) }, without)];
}

/** The outcomes of a request whose sender no longer waits: it lands later, or never. */
function astray(what: string, free: SearchState, waiting: Waiting): Move[] {
  return [
    { name: `${what} is in flight when its run dies`, state: delayed(free, waiting) },
    { name: `${what} is never sent: its run dies`, state: free },
  ];
}

/** It lands early enough before the end of its mark: all reads show it by then. */
function delayed(
  state: SearchState,
  { epoch, decision, crossed, deadlineMs }: Waiting,
): SearchState {
  const latestMs = unsettledUntilMs(deadlineMs) - consistencyMs - 1;
  return { ...state, flights: [...state.flights, { epoch, decision, crossed, latestMs }] };
}

function faults(
  what: string,
  before: SearchState,
  waiting: Waiting,
  { after, wrong }: { after: SearchState; wrong?: string },
  without: Part | undefined,
): Move[] {
  const free = spend(before, "faults");
  const done = spend(after, "faults");
  const late = delayed(free, waiting);
  const broken = wrong === undefined ? {} : { wrong };
  const refused = { kind: "refused", refusal: "Throttled" } as const;
  return [
    movedOn(`${what} lands, and its response is lost`, doubtful(done, waiting, without), wrong),
    { name: `${what} lands, and its run dies`, state: done, ...broken },
    ...astray(what, free, waiting),
    movedOn(`${what} is in flight when its run times out`, doubtful(late, waiting, without)),
    movedOn(
      `${what} never reaches KMS, and its run receives no response`,
      doubtful(free, waiting, without),
    ),
    movedOn(`${what} is throttled`, answered(free, waiting, refused, without)),
  ];
}

function passOf(waiting: Waiting, unheard: boolean): Pass {
  const { epoch, deadlineMs, parked, attempt } = waiting;
  const uncertain = waiting.uncertain || unheard;
  return { epoch, deadlineMs, uncertain, parked, requests: [], attempt };
}

/** Like `call` of `lambda/pass/pass.ts`. A run that has lost the claim cannot write, and ends. */
function answered(
  state: SearchState,
  waiting: Waiting,
  landing: Landing,
  without: Part | undefined,
): Proceeded {
  const { decision } = waiting;
  const pass = passOf(waiting, false);
  const context = searchContextOf(state, pass, []);
  if (landing.kind === "done") {
    const { made, deletionAtMs } = landing;
    const outcome: Extract<Outcome, { kind: "done" }> = {
      kind: "done",
      ...(made && { keyId: made.id, arn: made.id, createdAtMs: made.createdAtMs }),
      ...(deletionAtMs !== undefined && { deletionAtMs }),
    };
    const done = changed(state, applyDone(state.record, decision, outcome, context).next);
    const on = proceed(done, pass, without);
    return { ...on, written: [done, ...on.written] };
  }
  const record = applyRefused(state.record, decision.matter, decision.call);
  const refused = { kind: "refused", refusal: landing.refusal, message: "" } as const;
  const after = afterRefusal(record, decision, refused, context);
  const parked = { ...pass.parked, [matterName(decision.matter)]: after };
  return proceed({ ...state, record }, { ...pass, parked }, without);
}

function doubtful(state: SearchState, waiting: Waiting, without: Part | undefined): Proceeded {
  return proceed(state, passOf(waiting, true), without);
}
