/** How the steps of a rotation are laid out. */
import type { Rotation } from "../../lambda/workflow/model/types.ts";
import { sayText } from "../terminal/say.ts";
import type { StepView } from "./steps.ts";
import type { Talk } from "../terminal/talk.ts";
import { ago, fromNow, moment, roughly } from "../terminal/words.ts";

/** A step that goes on for months has many lines; `history` has them all. */
const linesAtMost = 6;

export function sayRotation(
  talk: Talk,
  { id, from, to, direction, openedAtMs, urgent }: Rotation,
  steps: StepView[],
  nowMs: number,
): void {
  const what = direction === "back" ? "rollback" : "rotation";
  const how = urgent === true ? ", urgent" : "";
  talk.line();
  sayText(talk, "", `${what} ${id}: v${from} to v${to}, opened ${moment(openedAtMs)}${how}`);
  for (const step of steps) sayStep(talk, step, nowMs);
}

function sayStep(talk: Talk, view: StepView, nowMs: number): void {
  const name = view.step.padEnd("distribute".length);
  const isNow = view.standing === "now";
  const mark = isNow ? talk.styled("bold", name) : talk.styled("dim", name);
  sayText(talk, `  ${mark}  `, whenOf(view, nowMs));
  const skipped = view.lines.length - linesAtMost;
  if (skipped > 0) talk.line(`    ${skipped} earlier lines`);
  for (const { atMs, event, reason } of view.lines.slice(-linesAtMost)) {
    sayText(talk, `    ${moment(atMs)}  `, `${event}: ${reason}`);
  }
  for (const { why, untilMs } of view.waits) {
    const until = untilMs === undefined ? "" : `, ${fromNow(untilMs, nowMs)}: ${moment(untilMs)}`;
    sayText(talk, `    ${talk.styled("yellow", "waits for")} `, `${why}${until}`);
  }
}

function whenOf({ standing, beganAtMs = 0, endedAtMs = 0 }: StepView, nowMs: number): string {
  switch (standing) {
    case "done":
      return `done: ${moment(beganAtMs)} to ${moment(endedAtMs)}, ${roughly(endedAtMs - beganAtMs)}`;
    case "now":
      return `now: since ${moment(beganAtMs)}, ${ago(beganAtMs, nowMs)}`;
    case "ahead":
      return "ahead";
    case "passed over":
      return "has no part in this one";
  }
}
