/** How a turn leaves a managed key: its findings told, its history sent on, its claim given back. */
import { retryDelayMs } from "./backoff.ts";
import { RotationError } from "../errors.ts";
import { transition } from "../record/journal.ts";
import type { Stored } from "../ports.ts";
import type { Ending, Turn } from "./state.ts";
import { observeAgainAtMs } from "../workflow/drift/drift.ts";
import { effects, sameFinding, type Finding } from "../workflow/model/findings.ts";
import { honouredForMs, recheckMs, refusedForMs } from "../workflow/model/limits.ts";
import { largeness, notices, stuck } from "../workflow/notices.ts";
import { servingVersion } from "../workflow/model/record.ts";
import { overdueAtMs } from "../workflow/serving.ts";
import { leftUnsettled } from "../workflow/safety/settle.ts";
import { stuckAtMs } from "../workflow/safety/stuck.ts";
import type { EntryDraft, ManagedKey } from "../workflow/model/types.ts";
import { write } from "./write.ts";

/** More ids than this are not kept of requests whose items are gone. */
const honouredMax = 200;

type Served = Pick<ManagedKey, "versions" | "enrolledAtMs" | "policy">;
type Told = Served & Pick<ManagedKey, "rotations" | "dependents" | "findings" | "unenrolment">;
type Left = { stored: Stored; uncertain: boolean; asked: { id: string }[] };

export async function settleUp(turn: Turn, left: Left, ending: Ending): Promise<Stored> {
  const said = await sayPlan(turn, left.stored, ending);
  const told = await tell(turn, said, findingsAfter(turn, { ...left, stored: said }, ending));
  const sent = await sendOn(turn, told, left.asked);
  const nowMs = turn.ports.clock.nowMs();
  const { claim: _, ...claimed } = sent.stored.record;
  const record = remembered(claimed, left.asked, nowMs);
  const backoff = backoffAfter(turn, record, ending, left.uncertain || !sent.all);
  const unsettled = leftUnsettled(record.unsettled, record.epoch, left.uncertain, nowMs);
  const rested = { ...record, backoff, unsettled, resting: restingOf(ending) };
  const dueAtMs = Math.min(
    nextDueMs(rested, ending, nowMs),
    sent.all ? Infinity : nowMs + retryDelayMs(backoff),
    ...unsettled.map(({ untilMs }) => Math.max(untilMs, nowMs)),
    ...record.refused.map(({ atMs }) => atMs + refusedForMs),
  );
  const next = { ...sent.stored, record: { ...rested, dueAtMs } };
  const stored = await write(turn.ports.table, told, next);
  turn.telemetry.rested({
    alias: record.alias,
    overdueMs: overdueMs(record, nowMs),
    halted: isHalted(record, ending),
    stuck: nowMs >= stuckAtMs(record),
    tries: backoff.tries,
    dueAtMs,
    resting: rested.resting,
  });
  return stored;
}

/** Mode `plan`: a call that would be made is put on record when it is first so. */
async function sayPlan(turn: Turn, stored: Stored, ending: Ending): Promise<Stored> {
  const { planned: before, ...record } = stored.record;
  const planned = ending.kind === "rest" ? ending.planned : undefined;
  if (planned === undefined) {
    const decided = ending.kind === "rest" || turn.mode === "act";
    return decided ? { ...stored, record } : stored;
  }
  const { call, subject, reason } = planned;
  const known = before?.call === call && before.subject === subject && before.reason === reason;
  if (known) return stored;
  const entry: EntryDraft = { event: "would", reason, detail: { call, subject } };
  const nowMs = turn.ports.clock.nowMs();
  const next = transition(stored, { ...record, planned }, entry, nowMs);
  const said = await write(turn.ports.table, stored, next);
  turn.telemetry.transition(said);
  return said;
}

/** A request's id is forgotten once its item is gone, and no late copy of it is to be feared. */
function remembered<R extends Pick<ManagedKey, "honoured" | "refused">>(
  record: R,
  asked: { id: string }[],
  nowMs: number,
): R {
  const there = asked.map(({ id }) => id);
  const gone = record.honoured.filter(({ id }) => !there.includes(id));
  const recent = gone.filter(({ atMs }) => nowMs < atMs + honouredForMs).slice(-honouredMax);
  const honoured = record.honoured.filter((one) => there.includes(one.id) || recent.includes(one));
  const refused = record.refused.filter(({ atMs }) => nowMs < atMs + refusedForMs);
  return { ...record, honoured, refused };
}

/** A turn that came to no rest looked at too little to say that a finding is no longer so. */
function findingsAfter(turn: Turn, left: Left, ending: Ending): Finding[] {
  const { record } = left.stored;
  const nowMs = turn.ports.clock.nowMs();
  const inVain = ending.kind === "retry" || left.uncertain;
  const why = restingOf(ending);
  const held = [
    ...(inVain ? stuck(record.alias, record.backoff.tries, why, nowMs) : []),
    ...largeness(record, nowMs),
  ];
  if (ending.kind === "rest") return [...ending.findings, ...held];
  const said = ending.kind === "retry" ? ending.findings : [];
  const now = [...said, ...missingFrom(said, notices(record, nowMs)), ...held];
  return [...record.findings, ...missingFrom(record.findings, now)];
}

function restingOf(ending: Ending): string {
  return ending.kind === "out-of-time" ? "the run's time was up" : ending.reason;
}

/** Findings that came or went are a transition; the words of one that stays are not. */
async function tell(turn: Turn, stored: Stored, now: Finding[]): Promise<Stored> {
  const { record } = stored;
  const kept = now.map((item) => {
    const known = record.findings.find((before) => sameFinding(before, item));
    return known === undefined ? item : { ...item, sinceMs: known.sinceMs };
  });
  const next = { ...record, findings: kept };
  const came = missingFrom(record.findings, kept);
  const went = missingFrom(kept, record.findings);
  if (came.length + went.length === 0) return { ...stored, record: next };
  const entry: EntryDraft = {
    event: came.length > 0 ? "found-wrong" : "put-right",
    reason: came.length > 0 ? came.map(({ seen }) => seen).join("; ") : "no longer so",
    detail: {
      came: came.map(({ code, subject }) => `${code} ${subject}`).join(", "),
      went: went.map(({ code, subject }) => `${code} ${subject}`).join(", "),
      next: came.map(({ next: command }) => command).join("; "),
    },
  };
  // A run that was ousted has seen another's doings as wrong: it has nothing to tell.
  const told = await write(
    turn.ports.table,
    stored,
    transition(stored, next, entry, turn.ports.clock.nowMs()),
  );
  for (const item of came) turn.telemetry.finding(record.alias, item);
  turn.telemetry.transition(told);
  return told;
}

function missingFrom(these: Finding[], those: Finding[]): Finding[] {
  return those.filter((item) => !these.some((other) => sameFinding(other, item)));
}

/**
 * Journal entries and closed rotations leave the aggregate once they are in items of their own and
 * the events are out; until then they stay in it, and go with a later turn.
 */
async function sendOn(
  turn: Turn,
  stored: Stored,
  asked: { id: string }[],
): Promise<{ stored: Stored; all: boolean }> {
  const { record, outbox } = stored;
  const done = record.honoured
    .map(({ id }) => id)
    .filter((id) => asked.some((one) => one.id === id));
  if (outbox.length + record.closed.length + done.length === 0) return { stored, all: true };
  try {
    const closed = record.closed.map((rotation) => ({ alias: record.alias, rotation }));
    await turn.ports.table.archive(outbox, closed);
    await turn.ports.events.publish(outbox);
    await turn.ports.table.deleteRequests(record.alias, done);
  } catch (error) {
    if (!(error instanceof RotationError)) throw error;
    turn.telemetry.failed(record.alias, error);
    return { stored, all: false };
  }
  return { stored: { ...stored, record: { ...record, closed: [] }, outbox: [] }, all: true };
}

function backoffAfter(
  turn: Turn,
  record: Pick<ManagedKey, "backoff">,
  ending: Ending,
  unfinished: boolean,
): ManagedKey["backoff"] {
  if (ending.kind !== "retry" && !unfinished) return { tries: 0, jitter: 0 };
  const { tries, jitter } = record.backoff;
  return { tries: Math.max(tries, 1), jitter: jitter === 0 ? turn.ports.chance.next() : jitter };
}

function nextDueMs(
  record: Told & Pick<ManagedKey, "backoff">,
  ending: Ending,
  nowMs: number,
): number {
  switch (ending.kind) {
    case "out-of-time":
      return nowMs;
    case "blocked":
      return Math.min(ending.dueAtMs, nowMs + recheckMs);
    case "retry":
      return nowMs + retryDelayMs(record.backoff);
    case "rest":
      return Math.min(
        ending.dueAtMs,
        toldAgainAtMs(record, nowMs),
        observeAgainAtMs(record, nowMs),
      );
  }
}

/**
 * When it next needs saying that it is overdue or stuck: when it comes to that, and every so often
 * from then on, so that an alarm lasts as long as what it tells of.
 */
function toldAgainAtMs(record: Told, nowMs: number): number {
  const serving = servingVersion(record);
  const managed = record.enrolledAtMs !== undefined && serving !== undefined;
  const soonest = [managed ? overdueAtMs(record, serving) : Infinity, stuckAtMs(record)];
  return Math.min(...soonest.map((atMs) => (atMs > nowMs ? atMs : nowMs + recheckMs)));
}

/** A turn that came to no rest may not have come as far as what halts it. */
function isHalted({ findings }: Told, ending: Ending): boolean {
  if (ending.kind === "rest") return ending.halted;
  return findings.some(({ code }) => effects[code] === "halt");
}

function overdueMs(record: Served, nowMs: number): number {
  const serving = servingVersion(record);
  if (record.enrolledAtMs === undefined || serving === undefined) return 0;
  return Math.max(0, nowMs - overdueAtMs(record, serving));
}
