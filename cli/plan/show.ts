/** A plan for people: a line for each call and turn of events, in the order of time. */
import { tableLines, type Column } from "../terminal/table-view.ts";
import type { Talk } from "../terminal/talk.ts";
import { noteCommand, noteText } from "../terminal/print.ts";
import { formatTime } from "../terminal/words.ts";
import type { ForecastEvent } from "../forecast/planned.ts";
import type { Plan } from "./plan.ts";

export const onlyReported =
  "The deployment is in mode plan: these calls will be said, and not made.";

type Line = ForecastEvent & { alias: string };

/** Turns of events that stand for no call, and that people wait for. */
const milestones = new Set(["activated", "drained", "completed", "reactivated", "un-enrolled"]);

export function showPlan(
  talk: Talk,
  plan: Plan,
  { out, looked }: { out: string | undefined; looked: number },
): void {
  const lines = plan.managedKeys
    .flatMap(({ alias, planned }) => worthALine(planned).map((one) => ({ ...one, alias })))
    .sort((a, b) => a.atMs - b.atMs || (a.alias < b.alias ? -1 : a.alias > b.alias ? 1 : 0));
  if (lines.length > 0) {
    for (const line of tableLines(columns(talk), lines, talk.columns)) talk.line(line);
  }
  noteText(talk, "", inAll(plan, lines, looked));
  for (const { alias, waitsFor, cut } of plan.managedKeys) {
    for (const { code, next } of waitsFor) {
      noteText(talk, "", `${alias} waits for a person: ${talk.styled("yellow", code)}`);
      noteCommand(talk, "  next:", next);
    }
    if (cut) noteText(talk, "", `${alias}: there is more to come than is shown; ask for less time`);
  }
  for (const { alias, why } of plan.unforeseen) {
    noteText(talk, "", `${alias}: what comes next could not be foreseen: ${why}`);
  }
  if (plan.mode === "plan") noteText(talk, "", onlyReported);
  noteText(
    talk,
    "",
    "Taken for granted: nobody else touches the keys, and what is retired is used no more.",
  );
  if (out !== undefined) printOut(talk, plan, out);
}

/** What comes of something that is asked of one managed key, as lines of talk. */
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
    { title: "ALIAS", cell: ({ alias }) => alias, leaves: 0, atLeast: 12 },
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

function inAll({ untilMs, monthlyUsd, managedKeys }: Plan, lines: Line[], looked: number): string {
  const counts = new Map<string, number>();
  for (const { call } of lines) {
    if (call !== undefined) counts.set(call, (counts.get(call) ?? 0) + 1);
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const each = [...counts].sort().map(([call, count]) => `${call} ${count}`);
  const moved = managedKeys.filter(({ planned }) => planned.some(({ call }) => call !== undefined));
  const calls =
    total === 0
      ? `No changing call of ${looked} managed keys until ${formatTime(untilMs)}.`
      : `${total} changing calls of ${moved.length} of ${looked} managed keys until ${formatTime(untilMs)}: ${each.join(", ")}.`;
  const change = monthlyUsd.then - monthlyUsd.now;
  const sign = change < 0 ? "-" : "+";
  return `${calls} Their keys cost $${monthlyUsd.now} a month now, and $${monthlyUsd.then} then (${sign}$${Math.abs(change)}).`;
}

const namedAtMost = 5;

function printOut(talk: Talk, { managedKeys }: Plan, out: string): void {
  const rotating = managedKeys.filter(({ rotates }) => rotates).map(({ alias }) => alias);
  noteCommand(talk, "Kept in", out);
  if (rotating.length === 0) {
    noteText(talk, "", "Nothing in it is to be applied: what moves goes on by itself.");
    return;
  }
  const what =
    rotating.length === 1 ? "this rotation begins" : `these ${rotating.length} rotations begin`;
  const more = rotating.length > namedAtMost ? " …" : "";
  const named = rotating.slice(0, namedAtMost).join(", ") + more;
  noteText(
    talk,
    "",
    `It is what comes if ${what} now, and not when the cryptoperiod asks: ${named}. To have just that done:`,
  );
  noteCommand(talk, " ", `keyturn apply ${out}`);
}
