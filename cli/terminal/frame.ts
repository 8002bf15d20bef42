/** One picture of a watch: as many lines as the terminal has, each no wider than it; pure. */
import { cutTo } from "./text.ts";

export type Picture = {
  /** What stands above all else: when, what of, and how to leave. */
  title: string;
  /** What is wrong just now; empty where nothing is. */
  trouble: string;
  lines: string[];
  /** What stands below all else. */
  notes: string[];
};

export function frameOf(picture: Picture, rows: number, columns: number): string[] {
  const { title, trouble, notes } = picture;
  const above = [title, ...(trouble === "" ? [] : [trouble])];
  const room = Math.max(1, rows - above.length - notes.length);
  const lines = picture.lines.flatMap((line) => line.split("\n"));
  const shown = lines.length <= room ? lines : lines.slice(0, room - 1);
  const left = lines.length - shown.length;
  const more = left === 0 ? [] : [`… and ${left} more rows`];
  const all = [...above, ...shown, ...more, ...notes];
  return all.slice(0, rows).map((line) => cutTo(line, columns));
}

const escape = "\u001b[";

/** Over the last picture, line by line, and not after clearing it: that would flicker. */
export function drawn(frame: readonly string[]): string {
  const lines = frame.map((line) => `${line}${escape}K`);
  return `${escape}H${lines.join("\r\n")}${escape}J`;
}

/** A screen of its own, without a cursor, and back to what was there before. */
export const entering = `${escape}?1049h${escape}?25l`;
export const leaving = `${escape}?25h${escape}?1049l`;
