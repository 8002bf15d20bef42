/** Prints longer texts, broken between words, and commands to paste, which it does not break. */
import { stripVTControlCharacters } from "node:util";
import type { Talk } from "./talk.ts";
import { printable, widthOf, wrapped } from "./text.ts";

/** A text needs at least this width beside its mark. */
const narrowest = 24;

/** Puts `mark` before the first line, and indents the others by its width. */
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

/** Never breaks a command: if it does not fit beside its mark, it gets its own line. */
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
