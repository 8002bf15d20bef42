/** Prints a plan: a row for each call and each milestone, by time. */
import { keptVersionsText } from "../../lambda/configuration/kept-versions.ts";
import { tableLines, type Column } from "../terminal/table-view.ts";
import type { Talk } from "../terminal/talk.ts";
import { noteCommand, noteText } from "../terminal/print.ts";
import { formatTime } from "../terminal/words.ts";
import type { ForecastEvent } from "../forecast/planned.ts";
import type { Plan } from "./plan.ts";

export const onlyReported =
  "The deployment is in mode plan: keyturn reports these calls and does not make them.";

export const nothingToApply =
  "The plan requests no rotation: there is nothing to apply. Scheduled changes need no apply.";

type Line = ForecastEvent & { alias: string };

/** Events without a call that an operator waits for. */
const milestones = new Set(["activated", "drained", "completed", "reactivated", "un-enrolled"]);

export function showPlan(
  talk: Talk,
  plan: Plan,
  { out, considered }: { out: string | undefined; considered: number },
): void {
  const lines = plan.managedKeys
    .flatMap(({ alias, planned }) => worthALine(planned).map((one) => ({ ...one, alias })))
    .sort((a, b) => a.atMs - b.atMs || (a.alias < b.alias ? -1 : a.alias > b.alias ? 1 : 0));
  if (lines.length > 0) {
    for (const line of tableLines(columns(talk), lines, talk.columns)) talk.line(line);
  }
  noteText(talk, "", inAll(plan, lines, considered));
  if (plan.keptVersions !== undefined) noteText(talk, "", keptVersionsText(plan.keptVersions));
  for (const { alias, waitsFor, truncated } of plan.managedKeys) {
    for (const { code, sinceMs, next } of waitsFor) {
      const isComing = sinceMs > plan.madeAtMs;
      const needs = isComing
        ? `will need an operator at ${formatTime(sinceMs)}`
        : "needs an operator";
      noteText(talk, "", `${alias} ${needs}: ${talk.styled("yellow", code)}`);
      noteCommand(talk, isComing ? "  at that time:" : "  next:", next);
    }
    if (truncated)
      noteText(talk, "", `${alias}: the plan does not show all changes; use an earlier --until`);
  }
  for (const { alias, why } of plan.notPredicted) {
    noteText(talk, "", `${alias}: the next runs cannot be predicted: ${why}`);
  }
  if (plan.mode === "plan") noteText(talk, "", onlyReported);
  noteText(talk, "", "Assumes no external changes and no further use of retired versions.");
  if (out !== undefined) printOut(talk, plan, out);
}

/** Prints the predicted effect of a request for one managed key, as notes. */
export function noteComing(talk: Talk, alias: string, planned: ForecastEvent[]): void {
  const lines = worthALine(planned).map((one) => ({ ...one, alias }));
  const shown = columns(talk).filter(({ title }) => title !== "ALIAS");
  for (const line of tableLines(shown, lines, talk.columns)) talk.note(line);
}

function worthALine(planned: ForecastEvent[]): ForecastEvent[] {
  return planned.filter(({ call, event }) => call !== undefined || milestones.has(event));
}

function columns(talk: Talk): Column<Line>[] {
  return [
    { title: "WHEN (UTC)", cell: ({ atMs }) => formatTime(atMs), leaves: 0 },
    { title: "ALIAS", cell: ({ alias }) => alias, leaves: 0, atLeast: 12, isName: true },
    { title: "STEP", cell: ({ step = "" }) => step, leaves: 2 },
    {
      title: "WHAT",
      cell: whatOf,
      styled: (line, shown) => styledWhat(line, shown, talk),
      leaves: 0,
      atLeast: 23,
    },
    { title: "WHY", cell: ({ reason }) => reason, leaves: 1, atLeast: 16 },
  ];
}

function whatOf({ call, subject, event }: ForecastEvent): string {
  return call === undefined ? event : `${call} ${subject ?? ""}`.trimEnd();
}

function styledWhat({ call }: ForecastEvent, shown: string, talk: Talk): string {
  if (call === undefined) return talk.styled("dim", shown);
  const ends = call === "DisableKey" || call === "ScheduleKeyDeletion";
  return ends ? talk.styled("red", shown) : shown;
}

function inAll(
  { untilMs, monthlyUsd, managedKeys }: Plan,
  lines: Line[],
  considered: number,
): string {
  const counts = new Map<string, number>();
  for (const { call } of lines) {
    if (call !== undefined) counts.set(call, (counts.get(call) ?? 0) + 1);
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const each = [...counts].sort().map(([call, count]) => `${call} ${count}`);
  const moved = managedKeys.filter(({ planned }) => planned.some(({ call }) => call !== undefined));
  const managed = considered === 1 ? "managed key" : "managed keys";
  const calls =
    total === 0
      ? `No changing call for ${considered} ${managed} until ${formatTime(untilMs)}.`
      : `${total} changing ${total === 1 ? "call" : "calls"} for ${moved.length} of ${considered} ${managed} until ${formatTime(untilMs)}: ${each.join(", ")}.`;
  const change = monthlyUsd.then - monthlyUsd.now;
  const sign = change < 0 ? "-" : "+";
  const all = considered === 1 ? "this managed key" : `all ${considered} managed keys`;
  const endsOn = formatTime(untilMs).slice(0, "2027-03-06".length);
  return `${calls} The KMS keys of ${all} cost $${monthlyUsd.now} a month now and $${monthlyUsd.then} a month on ${endsOn} (${sign}$${Math.abs(change)}).`;
}

const namedAtMost = 5;

function printOut(talk: Talk, { managedKeys }: Plan, out: string): void {
  const rotating = managedKeys.filter(({ rotates }) => rotates).map(({ alias }) => alias);
  noteCommand(talk, "Written to", out);
  if (rotating.length === 0) {
    noteText(talk, "", nothingToApply);
    return;
  }
  const more = rotating.length > namedAtMost ? " …" : "";
  const named = rotating.slice(0, namedAtMost).join(", ") + more;
  const isOne = rotating.length === 1;
  const what = isOne
    ? `the rotation of ${named} begins`
    : `${rotating.length} rotations begin (${named})`;
  const whose = isOne ? "its cryptoperiod" : "the cryptoperiod of each";
  noteText(talk, "", `The plan assumes that ${what} now, before ${whose} ends. To request this:`);
  noteCommand(talk, " ", `npx keyturn apply ${out}`);
}
