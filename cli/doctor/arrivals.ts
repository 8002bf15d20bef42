/** Checks whether CloudTrail's events arrive, and whether runs read what the second function stores; pure. */
import { counted, explain, lateMs, listed, listRules, type Check, type Signs } from "./checks.ts";
import { ago } from "../terminal/words.ts";

export function watch({ keys, heardAtMs, nowMs }: Signs): Check {
  const name = "monitoring of the drain";
  const last = lastCanary(heardAtMs, nowMs);
  const unheard = keys.filter((key) => key.unheard).map(({ alias }) => alias);
  if (unheard.length === 0) {
    return { name, verdict: "ok", observed: `${last}; no rotation waits for one` };
  }
  const observed = `${last}; one is expected for ${listed(unheard)}`;
  return { name, verdict: "attention", observed, next: "npx keyturn explain DRAIN_NOT_WATCHED" };
}

export function collection(signs: Signs): Check {
  const { keys, refusalsWatch, collectsRefusals, nowMs } = signs;
  const name = "collection of refused uses";
  if (collectsRefusals !== true) {
    const observed =
      collectsRefusals === false
        ? "this deployment does not collect them"
        : "the table does not show whether they are collected";
    return { name, verdict: "ok", observed };
  }
  // Before the first one, the watch may count the events that name no key.
  const last = lastCanary(refusalsWatch?.heardAtMs || undefined, nowMs);
  const uncollected = keys.filter((key) => key.uncollected).map(({ alias }) => alias);
  if (uncollected.length === 0) {
    return { name, verdict: "ok", observed: `${last}; none is overdue` };
  }
  const observed = `${last}; one a day is expected for ${listed(uncollected)}`;
  return { name, verdict: "attention", observed, next: explain("REFUSALS_NOT_WATCHED") };
}

function lastCanary(heardAtMs: number | undefined, nowMs: number): string {
  if (heardAtMs === undefined) return "no canary event received yet";
  return `last canary event received ${ago(heardAtMs, nowMs)}`;
}

/** The second function makes a managed key due with the first event of a caller. */
export function unreadRefusals({ refusalsDue, nowMs }: Signs): Check {
  const name = "unread refused uses";
  const late = refusalsDue.filter(({ dueAtMs }) => nowMs > dueAtMs + lateMs);
  const aliases = late.map(({ alias }) => alias);
  return counted(name, aliases, "runs have read all of them", listRules);
}
