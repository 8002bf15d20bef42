/** A table that fits the terminal: columns that matter least go first, then texts are cut. */
import { cutTo, printable, widthOf } from "./text.ts";

export type Column<T> = {
  title: string;
  cell: (row: T) => string;
  /** How its cells are coloured. */
  styled?: (row: T, shown: string) => string;
  /** 0 stays whatever happens; the higher, the sooner it goes. */
  leaves: number;
  /** It may be cut down to so many characters. */
  atLeast?: number;
};

const gap = "  ";

export function tableLines<T>(columns: Column<T>[], rows: T[], width: number): string[] {
  let shown = columns.map((column) => {
    const cells = rows.map((row) => printable(column.cell(row)));
    const full = cells.reduce(
      (widest, cell) => Math.max(widest, widthOf(cell)),
      column.title.length,
    );
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
  const titles = shown.map(({ title }, at) => fitted(title, widths[at] ?? 0));
  const lines = rows.map((row, index) =>
    shown.map(({ cells, styled }, at) =>
      fitted(cells[index] ?? "", widths[at] ?? 0, (text) => styled?.(row, text) ?? text),
    ),
  );
  return [titles, ...lines].map((cells) => cutTo(cells.join(gap).trimEnd(), width));
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

/** Coloured last: what a cell holds has no colours of its own. */
function fitted(text: string, width: number, styled = (shown: string) => shown): string {
  const shown = cutTo(text, width);
  return styled(shown) + " ".repeat(width - widthOf(shown));
}
