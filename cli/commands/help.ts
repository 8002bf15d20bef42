/** Help for narrow terminals: a text that does not fit beside its term is below it. */
import { Help } from "commander";
import { wrapped } from "../terminal/text.ts";

const besideAtLeast = 24;
const gaps = 4;
const usualColumns = 80;

export function formatItem(
  term: string,
  termWidth: number,
  description: string,
  helper: Help,
): string {
  const columns = helper.helpWidth ?? usualColumns;
  if (columns - termWidth - gaps >= besideAtLeast) {
    return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
  }
  const below = description === "" ? [] : wrapped(description, columns - 6);
  return [`  ${term}`, ...below.map((line) => `      ${line}`)].join("\n");
}
