/** How a pass finishes: it reports findings, publishes the journal and releases the claim. */
import { retryDelayMs } from "./backoff.ts";
import { RotationError } from "../errors.ts";
import { transition } from "../record/journal.ts";
import type { Stored } from "../ports.ts";
import type { Finish, Pass, PassState } from "./state.ts";
import { observeAgainAtMs } from "../workflow/drift/drift.ts";
import { afterInspection, inspectionDueAtMs } from "../workflow/drift/inspection.ts";
import {
  effects,
  isDanger,
  isOutage,
  isUrgent,
  sameFinding,
  type Finding,
} from "../workflow/model/findings.ts";
import { fulfilledForMs, recheckMs, rejectedForMs } from "../workflow/model/limits.ts";
import { largeness, notices, stuck } from "../workflow/notices.ts";
import { activeVersion } from "../workflow/model/record.ts";
import { overdueAtMs } from "../workflow/active-version.ts";
import { leftUnsettled } from "../workflow/safety/settle.ts";
import { stuckAtMs } from "../workflow/safety/stuck.ts";
import { valueOf } from "../workflow/safety/observations.ts";
import type { EntryDraft, ManagedKey, ObservedState } from "../workflow/model/types.ts";
import { write } from "./write.ts";

/** The most ids to keep of requests whose items are deleted. */
const fulfilledMax = 200;

type WithVersions = Pick<ManagedKey, "versions" | "enrolledAtMs" | "policy">;
type FinishedRecord = Omit<ManagedKey, "claim">;
type Left = Pick<PassState, "stored" | "uncertain" | "asked" | "observed" | "observedSinceMs">;

export async function finishPass(pass: Pass, left: Left, finish: Finish): Promise<Stored> {
  const withPlan = await recordPlannedCall(pass, left.stored, finish);
  const findings = findingsAfter(pass, { ...left, stored: withPlan }, finish);
  const reported = await reportFindings(pass, withPlan, findings);
  const sent = await sendOn(pass, reported, left.asked);
  const nowMs = pass.ports.clock.nowMs();
  const { claim: _, ...claimed } = sent.stored.record;
  const inspected =
    finish.kind === "rest"
      ? afterInspection(claimed, left.observed, left.observedSinceMs)
      : claimed;
  const record = remembered(inspected, left.asked, nowMs);
  const backoff = backoffAfter(pass, record, finish, left.uncertain || !sent.all);
  const unsettled = leftUnsettled(record.unsettled, record.epoch, left.uncertain, nowMs);
  const rested = { ...record, backoff, unsettled, waitingFor: restingOf(finish) };
  const dueAtMs = Math.min(
    nextDueMs(rested, finish, nowMs),
    sent.all ? Infinity : nowMs + retryDelayMs(backoff),
    ...unsettled.map(({ untilMs }) => Math.max(untilMs, nowMs)),
    ...record.rejected.map(({ atMs }) => atMs + rejectedForMs),
  );
  const next = { ...sent.stored, record: { ...rested, dueAtMs } };
  const stored = await write(pass.ports.table, reported, next);
  await refusalsRead(pass, record.alias, left.observed);
  pass.telemetry.rested({
    alias: record.alias,
    overdueMs: overdueMs(record, nowMs),
    halted: isHalted(record, finish),
    stuck: nowMs >= stuckAtMs(record),
    lockedOut: record.findings.some(isOutage),
    endangered: record.findings.some(isDanger),
    tries: backoff.tries,
    dueAtMs,
    waitingFor: rested.waitingFor,
  });
  return stored;
}

/** After the write: what it decided on is on record. Where this fails, the next run makes one more pass. */
async function refusalsRead(pass: Pass, alias: string, observed: ObservedState): Promise<void> {
  const refusals = valueOf(observed.refusals[alias]);
  if (refusals?.dueAtMs === undefined) return;
  try {
    await pass.ports.table.refusalsRead(alias, refusals.revision);
  } catch (error) {
    if (!(error instanceof RotationError)) throw error;
    pass.telemetry.failed(alias, error);
  }
}

/** Mode `plan`: records a planned call when it is new. */
async function recordPlannedCall(pass: Pass, stored: Stored, finish: Finish): Promise<Stored> {
  const { planned: before, ...record } = stored.record;
  const planned = finish.kind === "rest" ? finish.planned : undefined;
  if (planned === undefined) {
    const decided = finish.kind === "rest" || pass.mode === "act";
    return decided ? { ...stored, record } : stored;
  }
  const { call, subject, reason } = planned;
  const known = before?.call === call && before.subject === subject && before.reason === reason;
  if (known) return stored;
  const entry: EntryDraft = { event: "call-planned", reason, detail: { call, subject } };
  const nowMs = pass.ports.clock.nowMs();
  const next = transition(stored, { ...record, planned }, entry, nowMs);
  const recorded = await write(pass.ports.table, stored, next);
  pass.telemetry.transition(recorded);
  return recorded;
}

/** Removes a request's id after its item is deleted and a late copy of it can no longer come. */
function remembered<R extends Pick<ManagedKey, "fulfilled" | "rejected">>(
  record: R,
  asked: { id: string }[],
  nowMs: number,
): R {
  const there = asked.map(({ id }) => id);
  const deleted = record.fulfilled.filter(({ id }) => !there.includes(id));
  const recent = deleted.filter(({ atMs }) => nowMs < atMs + fulfilledForMs).slice(-fulfilledMax);
  const fulfilled = record.fulfilled.filter(
    (one) => there.includes(one.id) || recent.includes(one),
  );
  const rejected = record.rejected.filter(({ atMs }) => nowMs < atMs + rejectedForMs);
  return { ...record, fulfilled, rejected };
}

/** A pass that did not rest has read too little to close findings. */
function findingsAfter(pass: Pass, left: Left, finish: Finish): Finding[] {
  const { record } = left.stored;
  const nowMs = pass.ports.clock.nowMs();
  const hasFailed = finish.kind === "retry" || left.uncertain;
  const why = restingOf(finish);
  const held = [
    ...(hasFailed ? stuck(record.alias, record.backoff.tries, why, nowMs) : []),
    ...largeness(record, nowMs),
  ];
  if (finish.kind === "rest") return [...finish.findings, ...held];
  const planned = finish.kind === "out-of-time" ? [] : finish.findings;
  const now = [...planned, ...missingFrom(planned, notices(record, nowMs)), ...held];
  return [...record.findings, ...missingFrom(record.findings, now)];
}

function restingOf(finish: Finish): string {
  return finish.kind === "out-of-time" ? "out of time" : finish.reason;
}

/** Opened or closed findings are a transition; a new text of an open one is not. */
async function reportFindings(pass: Pass, stored: Stored, now: Finding[]): Promise<Stored> {
  const { record } = stored;
  const kept = now.map((item) => {
    const known = record.findings.find((before) => sameFinding(before, item));
    return known === undefined ? item : { ...item, sinceMs: known.sinceMs };
  });
  const next = { ...record, findings: kept };
  const opened = missingFrom(record.findings, kept);
  const closed = missingFrom(kept, record.findings);
  if (opened.length + closed.length === 0) return { ...stored, record: next };
  const entry: EntryDraft = {
    event: opened.length > 0 ? "findings-opened" : "findings-closed",
    reason:
      opened.length > 0 ? opened.map(({ observed }) => observed).join("; ") : "no longer true",
    detail: {
      opened: opened.map(({ code, subject }) => `${code} ${subject}`).join(", "),
      closed: closed.map(({ code, subject }) => `${code} ${subject}`).join(", "),
      next: opened.map(({ next: command }) => command).join("; "),
    },
  };
  // Reports after the write: a run that lost its claim may take the other's changes for errors.
  const reported = await write(
    pass.ports.table,
    stored,
    transition(stored, next, entry, pass.ports.clock.nowMs()),
  );
  for (const item of opened) pass.telemetry.finding(record.alias, item);
  pass.telemetry.transition(reported);
  return reported;
}

function missingFrom(these: Finding[], those: Finding[]): Finding[] {
  return those.filter((item) => !these.some((other) => sameFinding(other, item)));
}

/**
 * Journal entries and closed rotations leave the aggregate once they have their own items and the
 * events are published. Until then they stay in it for a later pass.
 */
async function sendOn(
  pass: Pass,
  stored: Stored,
  asked: { id: string }[],
): Promise<{ stored: Stored; all: boolean }> {
  const { record, outbox } = stored;
  const done = record.fulfilled
    .map(({ id }) => id)
    .filter((id) => asked.some((one) => one.id === id));
  if (outbox.length + record.closed.length + done.length === 0) return { stored, all: true };
  try {
    const closed = record.closed.map((rotation) => ({ alias: record.alias, rotation }));
    await pass.ports.table.archive(outbox, closed);
    await pass.ports.events.publish(outbox);
    await pass.ports.table.deleteRequests(record.alias, done);
  } catch (error) {
    if (!(error instanceof RotationError)) throw error;
    pass.telemetry.failed(record.alias, error);
    return { stored, all: false };
  }
  return { stored: { ...stored, record: { ...record, closed: [] }, outbox: [] }, all: true };
}

function backoffAfter(
  pass: Pass,
  record: Pick<ManagedKey, "backoff">,
  finish: Finish,
  unfinished: boolean,
): ManagedKey["backoff"] {
  if (finish.kind !== "retry" && !unfinished) return { tries: 0, jitter: 0 };
  const { tries, jitter } = record.backoff;
  return { tries: Math.max(tries, 1), jitter: jitter === 0 ? pass.ports.chance.next() : jitter };
}

function nextDueMs(record: FinishedRecord, finish: Finish, nowMs: number): number {
  switch (finish.kind) {
    case "out-of-time":
      return nowMs;
    case "blocked":
      return Math.min(finish.dueAtMs, nowMs + recheckMs);
    case "retry":
      return nowMs + retryDelayMs(record.backoff);
    case "rest":
      return Math.min(
        finish.dueAtMs,
        reportedAgainAtMs(record, nowMs),
        observeAgainAtMs(record, nowMs),
        nextInspectionMs(record, nowMs),
      );
  }
}

/**
 * When the next pass must report an overdue or stuck key, or a caller that is locked out: as soon as
 * it is so, and then repeatedly, to keep the alarm on as long as its condition lasts.
 */
function reportedAgainAtMs(record: FinishedRecord, nowMs: number): number {
  const active = activeVersion(record);
  const managed = record.enrolledAtMs !== undefined && active !== undefined;
  const soonest = [managed ? overdueAtMs(record, active) : Infinity, stuckAtMs(record)];
  return Math.min(
    ...soonest.map((atMs) => (atMs > nowMs ? atMs : nowMs + recheckMs)),
    record.findings.some(isUrgent) ? nowMs + recheckMs : Infinity,
  );
}

/** Where this pass did not inspect although it was due, as for a record of another table, the next one comes in an hour. */
function nextInspectionMs(record: FinishedRecord, nowMs: number): number {
  const dueAtMs = inspectionDueAtMs(record);
  return dueAtMs > nowMs ? dueAtMs : nowMs + recheckMs;
}

/** A pass that did not rest may have ended before the halt that an open finding reports. */
function isHalted({ findings }: FinishedRecord, finish: Finish): boolean {
  if (finish.kind === "rest") return finish.halted;
  return findings.some(({ code }) => effects[code] === "halt");
}

function overdueMs(record: WithVersions, nowMs: number): number {
  const active = activeVersion(record);
  if (record.enrolledAtMs === undefined || active === undefined) return 0;
  return Math.max(0, nowMs - overdueAtMs(record, active));
}
