/** A table that fits the terminal: columns that matter least go first, then texts are cut. */
import { stripVTControlCharacters } from "node:util";

export type Column<T> = {
  title: string;
  cell: (row: T) => string;
  /** 0 stays whatever happens; the higher, the sooner it goes. */
  leaves: number;
  /** It may be cut down to so many characters. */
  atLeast?: number;
};

const gap = "  ";

export function tableLines<T>(columns: Column<T>[], rows: T[], width: number): string[] {
  let shown = columns.map((column) => {
    const cells = rows.map(column.cell);
    const full = Math.max(column.title.length, ...cells.map(lengthOf), 0);
    return { ...column, cells, full };
  });
  const narrowest = (): number =>
    shown.reduce((sum, { full, atLeast = full }) => sum + Math.min(full, atLeast) + gap.length, -2);
  while (narrowest() > width && shown.some(({ leaves }) => leaves > 0)) {
    const first = Math.max(...shown.map(({ leaves }) => leaves));
    shown = shown.filter(({ leaves }) => leaves !== first);
  }
  const spare = shown.reduce((sum, { full }) => sum + full + gap.length, -2) - width;
  const widths = shownWidths(shown, spare);
  const line = (cells: string[]): string =>
    cells
      .map((cell, at) => fitted(cell, widths[at] ?? 0))
      .join(gap)
      .trimEnd();
  return [
    line(shown.map(({ title }) => title)),
    ...rows.map((_, row) => line(shown.map(({ cells }) => cells[row] ?? ""))),
  ];
}

/** What is too much is taken off the widest of those that may be cut, again and again. */
function shownWidths(shown: { full: number; atLeast?: number }[], spare: number): number[] {
  const widths = shown.map(({ full }) => full);
  for (let left = spare; left > 0; left--) {
    let widest = -1;
    shown.forEach(({ atLeast }, at) => {
      if (atLeast === undefined || (widths[at] ?? 0) <= atLeast) return;
      if (widest < 0 || (widths[at] ?? 0) > (widths[widest] ?? 0)) widest = at;
    });
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function lengthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

function fitted(text: string, width: number): string {
  const length = lengthOf(text);
  if (length <= width) return text + " ".repeat(width - length);
  const plain = stripVTControlCharacters(text);
  return `${plain.slice(0, Math.max(0, width - 1))}…`;
}
