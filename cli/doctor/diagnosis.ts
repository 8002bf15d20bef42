/** Checks the service itself, from the content of the table; pure. */
import {
  auditEveryMs,
  believableAheadMs,
  clockSkewMs,
  dayMs,
  recheckMs,
} from "../../lambda/workflow/model/limits.ts";
import { collection, unreadRefusals, watch } from "./arrivals.ts";
import {
  counted,
  explain,
  lateMs,
  listRules,
  type Check,
  type Chored,
  type Signs,
} from "./checks.ts";
import type { Sign } from "./signs.ts";
import { ago, fromNow, roughly } from "../terminal/words.ts";

export function diagnose({ keys: unsorted, ...rest }: Signs): Check[] {
  const keys = unsorted.toSorted((a, b) => (a.alias < b.alias ? -1 : 1));
  const signs = { ...rest, keys };
  return [
    table(signs),
    ownClock(signs),
    runs(signs),
    ...ofKeys(signs),
    ...ofChores(signs),
    watch(signs),
    collection(signs),
    unreadRefusals(signs),
  ];
}

function ofKeys({ keys, unread, tableName, audit, nowMs }: Signs): Check[] {
  const those = (is: (key: Sign) => boolean): string[] => keys.filter(is).map(({ alias }) => alias);
  const status = `npx keyturn status --table ${tableName}`;
  const halted = those(({ waitsForPerson }) => waitsForPerson);
  const needed = those((key) => key.needed);
  const lockedOut = those((key) => key.lockedOut);
  const changed = those((key) => key.changed);
  const unapproved = those((key) => key.unapproved);
  const overdue = those((key) => key.overdue);
  const stuck = those((key) => key.stuck);
  const drifted = those((key) => key.drifted);
  const skewed = those((key) => key.skewed);
  const foreign = those(({ otherOwner }) => otherOwner);
  const excess = keys.flatMap((key) => key.excess);
  const minutes = believableAheadMs / 60_000;
  const skew = `no claim or settle mark expires more than ${minutes} minutes from now`;
  return [
    counted("halted or waiting for an operator", halted, "no managed key", `${status} --findings`),
    counted(
      "retired versions still needed",
      needed,
      "no use, refused use or grant indicates a need",
      `${status} --findings`,
    ),
    counted("callers locked out", lockedOut, "no finding reports one", `${status} --findings`),
    counted(
      "changed by external actors",
      changed,
      "every version matched its record at its last inspection",
      `${status} --findings`,
    ),
    counted("approvals", unapproved, "none is awaited", explain("APPROVAL_REQUIRED")),
    counted("overdue", overdue, "no version is past its cryptoperiod", `${status} --overdue`),
    counted("stuck", stuck, "no step is past its limit", explain("STUCK")),
    counted(
      "drifted aliases",
      drifted,
      `every alias was on its active version when last observed; ${auditedAt(audit, nowMs)}`,
      explain("ALIAS_MOVED"),
    ),
    counted("clocks of runs", skewed, skew, explain("CLOCK_SKEW")),
    counted("excess keys", excess, "none, or all quarantined", explain("EXTRA_NOT_QUARANTINED")),
    counted(
      "keys of another owner",
      foreign,
      "every version has the owner tag",
      explain("OTHER_OWNER"),
    ),
    counted("record schemas", unread, "every record can be read", explain("SCHEMA_NEWER")),
  ];
}

function ofChores({ audit, tagSearch }: Signs): Check[] {
  const unknown = (audit?.findings ?? []).map(({ subject }) => subject);
  const rejected = (tagSearch?.findings ?? []).map(({ subject }) => subject);
  const known = "the audit found none";
  return [
    counted("unknown keys", unknown, known, explain("UNKNOWN_KEY")),
    counted(
      "enrolment by tag",
      rejected,
      "no tagged key was rejected",
      explain("NOT_ENROLLED_BY_TAG"),
    ),
  ];
}

/** An incomplete audit is due again in an hour: then the time of the last complete one is not known. */
function auditedAt(audit: Chored, nowMs: number): string {
  if (audit === undefined) return "no audit of all aliases has taken place yet";
  const { dueAtMs } = audit;
  const last = dueAtMs > nowMs + recheckMs ? `last ${ago(dueAtMs - auditEveryMs, nowMs)}, ` : "";
  return `the audit of all aliases runs weekly: ${last}next ${fromNow(dueAtMs, nowMs)}`;
}

function table({ tableName, tookMs }: Signs): Check {
  return {
    name: "table",
    verdict: "ok",
    observed: `"${tableName}" answers in ${Math.ceil(tookMs)} ms`,
  };
}

function ownClock({ aheadMs }: Signs): Check {
  const name = "this machine's clock";
  if (aheadMs === undefined) {
    return { name, verdict: "ok", observed: "not compared with AWS's" };
  }
  const off = Math.abs(aheadMs);
  if (off <= clockSkewMs) return { name, verdict: "ok", observed: "agrees with AWS's" };
  const observed = `${roughly(off)} ${aheadMs > 0 ? "ahead of" : "behind"} AWS's; ages shown here are wrong by that much`;
  return { name, verdict: "attention", observed, next: "date -u" };
}

/** A run processes due work within an interval. Older due work means that no run takes place. */
function runs(signs: Signs): Check {
  const { keys, audit, tagSearch, runUntilMs = 0, nowMs } = signs;
  const name = "runs";
  if (audit === undefined && tagSearch === undefined) {
    return { name, verdict: "attention", observed: "no run has taken place yet", next: listRules };
  }
  const tracedMs = lastTraceMs(signs);
  const trace =
    runUntilMs > nowMs
      ? "a run is active"
      : `the last run that recorded work was ${ago(tracedMs, nowMs)}`;
  const dues = [...keys, audit, tagSearch].flatMap((one) => one?.dueAtMs ?? []);
  const oldestMs = dues.reduce((oldest, dueAtMs) => Math.min(oldest, dueAtMs), Infinity);
  if (nowMs <= oldestMs + lateMs) {
    return { name, verdict: "ok", observed: `no due work is waiting; ${trace}` };
  }
  const observed = `work has been due for ${roughly(nowMs - oldestMs)}, and no run has processed it; ${trace}`;
  return { name, verdict: "attention", observed, next: listRules };
}

/** The search by tag takes place daily, and records when it is due next. */
function lastTraceMs({ keys, tagSearch, nowMs }: Signs): number {
  const searchedMs = (tagSearch?.dueAtMs ?? 0) - dayMs;
  return keys.reduce(
    (latest, { tracedAtMs }) => Math.max(latest, tracedAtMs),
    Math.min(searchedMs, nowMs),
  );
}
