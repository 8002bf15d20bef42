/** Prints the refused uses of a managed key. */
import { furtherUses, type RefusalsView, type RefusedUseView } from "./refusals.ts";
import { printText } from "../terminal/print.ts";
import type { Talk } from "../terminal/talk.ts";
import { ago, formatTime } from "../terminal/words.ts";

/** Of one version; `--json` has all of them. */
const usesAtMost = 10;

export function printRefusals(talk: Talk, view: RefusalsView, nowMs: number): void {
  const { isCollected, uses } = view;
  if (isCollected === undefined && uses.length === 0) return;
  talk.line();
  printText(
    talk,
    "refused uses: ",
    `${uses.length === 0 ? "none; " : ""}${collected(view, nowMs)}`,
  );
  for (const [version, of] of Map.groupBy(uses, ({ version }) => version)) {
    const mark = version === undefined ? "by alias" : `v${version}`;
    for (const use of of.slice(0, usesAtMost)) printUse(talk, mark, use);
    const more = of.length - usesAtMost;
    if (more > 0) talk.line(`  ${mark}  ${more} more; --json has all of them`);
  }
}

function collected({ isCollected, ...view }: RefusalsView, nowMs: number): string {
  if (isCollected === false) return "this deployment does not collect them";
  const { collectedSinceMs, heardAtMs, unattributed } = view;
  const since =
    collectedSinceMs === undefined || heardAtMs === undefined
      ? "no canary event received yet"
      : `collected since ${formatTime(collectedSinceMs)}, last canary event ${ago(heardAtMs, nowMs)}`;
  if (unattributed === 0) return since;
  const calls = unattributed === 1 ? "1 refused use names" : `${unattributed} refused uses name`;
  return `${since}; ${calls} no key`;
}

function printUse(talk: Talk, mark: string, use: RefusedUseView): void {
  const { call, acceptedBy } = use;
  const shown = acceptedBy === undefined ? talk.styled("yellow", mark) : mark;
  const word = { configuration: "the configuration", approval: "an approval" };
  const accepted = acceptedBy === undefined ? "" : `; accepted by ${word[acceptedBy]}`;
  printText(talk, `  ${shown}  `, call?.principal ?? furtherUses);
  const what = call === undefined ? "" : `${call.operation} ${call.error}, `;
  printText(talk, " ".repeat(mark.length + 4), `${what}${timesOf(use)}${accepted}`);
}

function timesOf({ count, firstAtMs, lastAtMs }: RefusedUseView): string {
  if (count === 1) return `once at ${formatTime(firstAtMs)}`;
  return `${count} times, first ${formatTime(firstAtMs)}, last ${formatTime(lastAtMs)}`;
}
