/** A table that fits the terminal: it drops the least important columns, then wraps the texts. */
import { broken, cutTo, printable, widthOf } from "./text.ts";

export type Column<T> = {
  title: string;
  cell: (row: T) => string;
  /** The colour of its cells. */
  styled?: (row: T, shown: string) => string;
  /** 0: never dropped. The column with the highest number is dropped first. */
  leaves: number;
  /** It may be narrowed to this width, and wraps its texts. */
  atLeast?: number;
  /** The table drops other columns before it narrows this one further. */
  prefers?: number;
  /** For names: one line, cut, instead of wrapped. */
  isName?: boolean;
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
    shown.reduce((sum, { full, atLeast = full, prefers = atLeast }) => {
      return sum + Math.min(full, prefers) + gap.length;
    }, -2);
  while (narrowest() > width && shown.some(({ leaves }) => leaves > 0)) {
    const first = Math.max(...shown.map(({ leaves }) => leaves));
    shown = shown.filter(({ leaves }) => leaves !== first);
  }
  const spare = shown.reduce((sum, { full }) => sum + full + gap.length, -2) - width;
  const widths = shownWidths(shown, spare);
  const titles = shown.map(({ title }, at) => filled(cutTo(title, widths[at] ?? 0), widths[at]));
  const lines = rows.flatMap((row, index) => {
    const cells = shown.map(({ cells: all, isName = false, styled }, at): Cell => {
      const columnWidth = widths[at] ?? 0;
      const text = all[index] ?? "";
      const texts = isName ? [cutTo(text, columnWidth)] : broken(text, columnWidth);
      return { texts, width: columnWidth, styled: (one) => styled?.(row, one) ?? one };
    });
    return rowLines(cells);
  });
  return [titles, ...lines].map((cells) => cutTo(cells.join(gap).trimEnd(), width));
}

type Cell = { texts: string[]; width: number; styled: (shown: string) => string };

/** As many lines as the longest of its cells has. */
function rowLines(cells: Cell[]): string[][] {
  const height = Math.max(...cells.map(({ texts }) => texts.length));
  return Array.from({ length: height }, (_, line) =>
    cells.map(({ texts, width, styled }) => {
      const text = texts[line];
      return text === undefined ? " ".repeat(width) : filled(text, width, styled);
    }),
  );
}

/** Narrows the widest column that may be narrowed, one by one, until the table fits. */
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

/** Coloured after it is measured: the text of a cell has no colours of its own. */
function filled(text: string, width = 0, styled = (shown: string) => shown): string {
  return styled(text) + " ".repeat(Math.max(0, width - widthOf(text)));
}
