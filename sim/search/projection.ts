/**
 * The part of a state on which decisions depend: each field that the transition function, the model
 * and the properties read. Two states with equal projections continue alike; `--check` compares
 * samples of them. Times count from now, epochs from the newest. A time that is only compared with
 * now has one value once it lies further back than that comparison reaches. Of times that are
 * compared with each other, only the order remains then.
 */
import { clockSkewMs, consistencyMs, lastUseLagMs } from "../../lambda/workflow/model/limits.ts";
import { settledAtMs } from "../../lambda/workflow/drift/inspection-times.ts";
import { foundByInspection } from "../../lambda/workflow/model/findings.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type {
  LastUse,
  ManagedKey,
  Rotation,
  Unsettled,
  Version,
} from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs, policy } from "./fixture.ts";
import {
  isHeld,
  shownOf,
  type Attempted,
  type ModelKms,
  type Pending,
  type SearchState,
} from "./state.ts";

const words = new Int32Array(8192);
let length = 0;
let nowMs = 0;
let newest = 0;
let marks: Unsettled[] = [];

const numbers = new Map<string, number>();

/** The old times of one group, and their places in `words`. */
type Group = { times: number[]; places: number[] };
const uses: Group = { times: [], places: [] };
const births: Group = { times: [], places: [] };

const horizonMs = 2 * hourMs;
const nothing = -2_000_000_001;
const longAgo = -2_000_000_002;
const oldest = -2_100_000_000;

function put(value: number): void {
  words[length++] = value;
}

function text(value: string | undefined): void {
  if (value === undefined) return put(nothing);
  let number = numbers.get(value);
  if (number === undefined) numbers.set(value, (number = numbers.size));
  put(number);
}

function flag(value: unknown): void {
  put(value === undefined || value === false ? 0 : 1);
}

function epoch(value: number): void {
  put(newest - value);
}

/** A future time, or how long ago a past one is, up to `reachMs`. */
function time(atMs: number | undefined, reachMs: number): void {
  if (atMs === undefined) return put(nothing);
  put(nowMs - atMs > reachMs ? longAgo : nowMs - atMs);
}

/** A time that is compared with others of its group. */
function among(group: Group, atMs: number | undefined): void {
  if (atMs === undefined || atMs === 0) return put(nothing);
  if (nowMs - atMs <= horizonMs) return put(nowMs - atMs);
  group.times.push(atMs);
  group.places.push(length);
  put(0);
}

function ranked(group: Group): void {
  const { times, places } = group;
  for (let index = 0; index < times.length; index++) {
    const own = times[index] ?? 0;
    let rank = 0;
    for (const [other, atMs] of times.entries()) {
      if (atMs < own && times.indexOf(atMs) === other) rank += 1;
    }
    words[places[index] ?? 0] = oldest - rank;
  }
  group.times.length = 0;
  group.places.length = 0;
}

export type Projection = { words: Int32Array; length: number };

/** The result is valid until the next call. */
export function project(state: SearchState): Projection {
  length = 0;
  nowMs = state.nowMs;
  newest = state.record.epoch;
  marks = state.record.unsettled;
  record(state.record, isHeld(state));
  kms(state.kms);
  time(state.lag?.untilMs, 0);
  if (state.lag !== undefined) {
    text(`${state.lag.of} ${state.lag.keyId}`);
    kms(shownOf(state));
  }
  put(state.flights.length);
  for (const flight of state.flights) {
    pending(flight);
    put(flight.latestMs - nowMs);
  }
  put(state.waiting.length);
  for (const waiting of state.waiting) {
    pending(waiting);
    put(waiting.deadlineMs - nowMs);
    flag(waiting.uncertain);
    text(waiting.attempt?.keyId);
    among(uses, waiting.attempt?.atMs);
    flag(waiting.attempt && isEarly(state.record, waiting.attempt));
    // The parked decisions of this pass; their time is now, since no time passes in a pass.
    text(
      Object.entries(waiting.parked)
        .map(([name, { kind }]) => `${name} ${kind}`)
        .join(),
    );
  }
  put(state.attempts.length);
  for (const attempt of state.attempts) {
    text(attempt.keyId);
    among(uses, attempt.atMs);
    time(attempt.atMs, horizonMs);
    flag(isEarly(state.record, attempt));
  }
  put(state.asked.length);
  for (const keyId of state.asked) text(keyId);
  for (const { keyId, caller, atMs } of state.refused) {
    text(`${keyId} ${caller}`);
    time(atMs, horizonMs);
  }
  flag(state.isNews);
  put(state.opened);
  const { faults, lags, rotates, rollbacks, resumes, uses: used, outside } = state.budget;
  const { approvals, overrides, refusals } = state.budget;
  put(lags | (approvals << 4) | (overrides << 8) | (refusals << 12));
  put(
    faults | (rotates << 4) | (rollbacks << 8) | (resumes << 12) | (used << 16) | (outside << 20),
  );
  ranked(uses);
  ranked(births);
  return { words, length };
}

/** From before the last DisableKey; no attempt that comes later is. */
function isEarly({ versions }: ManagedKey, { keyId, atMs }: Attempted): boolean {
  const version = versions.find((one) => one.keyId === keyId);
  return atMs + clockSkewMs < (version?.disablingAtMs ?? 0);
}

function record(of: ManagedKey, isClaimed: boolean): void {
  time(isClaimed ? of.claim?.untilMs : undefined, 0);
  flag(of.claim);
  for (const { epoch: by, untilMs } of of.unsettled) {
    if (untilMs <= nowMs) continue;
    epoch(by);
    put(untilMs - nowMs);
  }
  put(nothing);
  put(Math.max(0, of.dueAtMs - nowMs));
  time(of.suspectedAtMs, consistencyMs);
  const inspects =
    of.suspectedAtMs ?? of.findings.find(({ code }) => foundByInspection.includes(code));
  put(inspects === undefined ? nothing : Math.max(0, settledAtMs(of) - nowMs));
  time(of.authorizationChangedAtMs, consistencyMs);
  flag(of.wanted);
  flag(of.wanted?.urgent);
  put(of.lastNumber);
  text(of.waitingFor);
  for (const { kind, version: number } of of.holds) text(`${kind} ${number}`);
  put(nothing);
  for (const { code } of of.findings) text(code);
  put(nothing);
  for (const one of of.versions) version(one);
  put(nothing);
  for (const one of of.rotations) rotation(one);
  put(nothing);
  for (const extra of of.extras) {
    text(extra.keyId);
    text(extra.rotationId);
    among(births, extra.madeAfterMs);
    time(extra.foundAtMs, consistencyMs + lastUseLagMs);
    flag(extra.labelledAtMs);
    flag(extra.quarantinedAtMs);
  }
  put(nothing);
}

function version(of: Version): void {
  put(of.number);
  text(of.keyId);
  text(of.state);
  text(of.label);
  flag(of.activatedAtMs);
  flag(of.overriddenBy);
  among(births, of.createdAtMs);
  time(of.createdAtMs, consistencyMs);
  among(uses, of.retiredAtMs);
  time(of.disabledAtMs, lastUseLagMs + consistencyMs);
  time(of.deletionAtMs, 0);
}

function rotation(of: Rotation): void {
  text(of.id);
  put(of.from * 16 + of.to);
  text(of.direction);
  text(of.step);
  text(of.unanswered);
  put(of.episode);
  time(of.enabledSinceMs, of.policy.propagationMs);
  flag(of.urgent);
  flag(of.labelledAtMs);
  flag(of.lateUseReadAtMs);
  flag(of.cancelledAtMs);
  among(uses, of.drainSinceMs);
  time(of.soakSinceMs, policy.soakMs);
  time(of.direction === "back" ? of.openedAtMs : undefined, consistencyMs);
  for (const name in of.movedAtMs) time(of.movedAtMs[name], consistencyMs);
  put(nothing);
  lastUse(of.evidence?.lastUse);
  text(of.approval?.of);
  flag(of.approval?.override);
  text(of.approval?.accepts.join());
  if (of.approval !== undefined) {
    if (of.approval.evidence === "never") text("never");
    else among(uses, Number(of.approval.evidence));
  }
  const { restored, reactivation, intent } = of;
  text(restored && `${restored.because} ${restored.cancel} ${restored.relabelled}`);
  time(restored?.enabledAtMs, consistencyMs);
  time(restored?.cancelledAtMs, consistencyMs);
  time(reactivation?.enabledAtMs, consistencyMs);
  time(reactivation?.cancelledAtMs, consistencyMs);
  time(reactivation?.unlabelledAtMs, consistencyMs);
  put(intent.attempts);
  put(intent.misses);
  time(intent.misses < 2 ? undefined : intent.lastAttemptAtMs, dayMs);
  markOf(intent.unansweredEpoch);
  among(births, intent.writtenAtMs);
}

/** The epoch of an unanswered CreateKey matters as long as its mark exists. */
function markOf(by: number | undefined): void {
  if (by === undefined) return put(nothing);
  put(marks.some((one) => one.epoch === by && one.untilMs > nowMs) ? newest - by : longAgo);
}

function lastUse(of: LastUse | undefined): void {
  text(of?.kind);
  if (of?.kind === "used") among(uses, of.atMs);
  if (of?.kind === "never") among(births, of.sinceMs);
}

function kms({ keys, target, made }: ModelKms): void {
  text(target);
  put(made);
  put(keys.length);
  for (const key of keys) {
    text(key.id);
    text(`${key.state} ${key.by} ${key.served}`);
    time(key.deletionAtMs, 0);
    among(births, key.createdAtMs);
    among(uses, key.usedAtMs);
    text(key.tags[tagNames.rotation]);
    text(key.tags[tagNames.retired]);
  }
}

function pending({ epoch: by, decision: { call, matter }, crossed }: Pending): void {
  epoch(by);
  text(call.kind);
  if (call.kind !== "CreateKey") text(call.keyId);
  if (call.kind === "CreateKey") text(call.tags[tagNames.rotation]);
  if (call.kind === "TagResource") text(call.tags[tagNames.retired]);
  text(matter.kind === "rotation" ? matter.rotationId : matter.kind);
  flag(crossed);
}
