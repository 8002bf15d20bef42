/** Prints the steps of a rotation. */
import type { Rotation } from "../../lambda/workflow/model/types.ts";
import { printText } from "../terminal/print.ts";
import type { StepView } from "./steps.ts";
import type { Talk } from "../terminal/talk.ts";
import { ago, fromNow, formatTime, roughly } from "../terminal/words.ts";

/** A step that lasts for months has many lines; `history` prints all of them. */
const linesAtMost = 6;

export function printRotation(
  talk: Talk,
  { id, from, to, direction, openedAtMs, urgent }: Rotation,
  steps: StepView[],
  nowMs: number,
): void {
  const what = direction === "back" ? "rollback" : "rotation";
  const how = urgent === true ? ", urgent" : "";
  talk.line();
  printText(talk, "", `${what} ${id}: v${from} to v${to}, opened ${formatTime(openedAtMs)}${how}`);
  for (const step of steps) printStep(talk, step, nowMs);
}

function printStep(talk: Talk, view: StepView, nowMs: number): void {
  const name = view.step.padEnd("distribute".length);
  const isNow = view.state === "now";
  const mark = isNow ? talk.styled("bold", name) : talk.styled("dim", name);
  printText(talk, `  ${mark}  `, whenOf(view, nowMs));
  const skipped = view.lines.length - linesAtMost;
  if (skipped > 0) talk.line(`    ${skipped} earlier lines`);
  for (const { atMs, event, reason } of view.lines.slice(-linesAtMost)) {
    printText(talk, `    ${formatTime(atMs)}  `, `${event}: ${reason}`);
  }
  for (const { why, untilMs } of view.waits) {
    const until =
      untilMs === undefined ? "" : `, until ${formatTime(untilMs)} (${fromNow(untilMs, nowMs)})`;
    printText(talk, `    ${talk.styled("yellow", "waits for")} `, `${why}${until}`);
  }
}

function whenOf({ state, beganAtMs = 0, endedAtMs = 0 }: StepView, nowMs: number): string {
  switch (state) {
    case "done":
      return `done: ${formatTime(beganAtMs)} to ${formatTime(endedAtMs)}, ${roughly(endedAtMs - beganAtMs)}`;
    case "now":
      return `now: since ${formatTime(beganAtMs)}, ${ago(beganAtMs, nowMs)}`;
    case "ahead":
      return "pending";
    case "passed over":
      return "not part of this rotation";
  }
}
