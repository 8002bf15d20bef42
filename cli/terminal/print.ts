/** Longer texts on a terminal: broken between words, save for what somebody may want to paste. */
import { stripVTControlCharacters } from "node:util";
import type { Talk } from "./talk.ts";
import { printable, widthOf, wrapped } from "./text.ts";

/** Less than that beside a mark is no place for a text. */
const narrowest = 24;

/** `mark` stands before the first line, and the others are indented by its width. */
export function printText(talk: Talk, mark: string, text: string): void {
  for (const line of textLines(talk, mark, text)) talk.line(line);
}

export function noteText(talk: Talk, mark: string, text: string): void {
  for (const line of textLines(talk, mark, text)) talk.note(line);
}

function textLines({ columns }: Talk, mark: string, text: string): string[] {
  const shown = printable(text);
  const room = columns - widthOf(mark);
  if (room < narrowest && widthOf(shown) > room) {
    const indent = /^ */.exec(stripVTControlCharacters(mark))?.[0] ?? "";
    return [
      mark.trimEnd(),
      ...wrapped(shown, columns - indent.length - 2).map((line) => `${indent}  ${line}`),
    ];
  }
  const [first = "", ...others] = wrapped(shown, room);
  return [mark + first, ...others.map((line) => " ".repeat(widthOf(mark)) + line)];
}

/** A command is never broken: where it does not fit beside its mark, it has a line of its own. */
export function printCommand(talk: Talk, mark: string, command: string): void {
  for (const line of commandLines(talk, mark, command)) talk.line(line);
}

export function noteCommand(talk: Talk, mark: string, command: string): void {
  for (const line of commandLines(talk, mark, command)) talk.note(line);
}

function commandLines({ columns }: Talk, mark: string, command: string): string[] {
  const shown = printable(command);
  const line = `${mark} ${shown}`;
  return widthOf(line) <= columns ? [line] : [mark, shown];
}
