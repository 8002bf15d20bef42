/** One frame of `--watch`: no more lines than the terminal has, and none wider; pure. */
import { cutTo } from "./text.ts";

export type Picture = {
  /** The first line: the time, the table, and how to end. */
  title: string;
  /** The present failure; empty without one. */
  trouble: string;
  lines: string[];
  /** The last lines. */
  notes: string[];
};

export function frameOf(picture: Picture, rows: number, columns: number): string[] {
  const { title, trouble, notes } = picture;
  const above = [title, ...(trouble === "" ? [] : [trouble])];
  const room = Math.max(1, rows - above.length - notes.length);
  const lines = picture.lines.flatMap((line) => line.split("\n"));
  const shown = lines.length <= room ? lines : lines.slice(0, room - 1);
  const left = lines.length - shown.length;
  const more = left === 0 ? [] : [`… and ${left} more lines`];
  const all = [...above, ...shown, ...more, ...notes];
  return all.slice(0, rows).map((line) => cutTo(line, columns));
}

const escape = "\u001b[";

/** Overwrites the last frame line by line. Clearing the screen first would flicker. */
export function drawn(frame: readonly string[]): string {
  const lines = frame.map((line) => `${line}${escape}K`);
  return `${escape}H${lines.join("\r\n")}${escape}J`;
}

/** Enters the alternate screen without a cursor, and restores the previous one. */
export const entering = `${escape}?1049h${escape}?25l`;
export const leaving = `${escape}?25h${escape}?1049l`;
