/** HTML that escapes by default: any writer of the table may have written its texts. */
import { escaped as shown } from "../terminal/text.ts";

/** Text that is already HTML. */
export class Markup {
  readonly text: string;
  /** No other object has this field. */
  readonly #isMarkup = true;

  constructor(text: string) {
    this.text = text;
  }

  static is(part: unknown): part is Markup {
    return typeof part === "object" && part !== null && #isMarkup in part;
  }
}

export type Part = Markup | string | number | undefined | readonly Part[];

/** A template: `markup`<p>${anything}</p>``. For text and quoted attributes. */
export function markup(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  const between = withoutIndent(strings);
  let text = between[0] ?? "";
  for (const [index, part] of parts.entries()) text += textOf(part) + (between[index + 1] ?? "");
  return new Markup(text);
}

const known = new WeakMap<TemplateStringsArray, string[]>();

/** Keeps the indentation of the source out of the report. */
function withoutIndent(strings: TemplateStringsArray): string[] {
  const before = known.get(strings);
  if (before !== undefined) return before;
  const between = strings.map((text) => text.replace(/\s*\n\s*/g, "\n"));
  known.set(strings, between);
  return between;
}

function textOf(part: Part): string {
  if (part === undefined) return "";
  if (Markup.is(part)) return part.text;
  if (typeof part === "object") return part.map(textOf).join("");
  return escaped(String(part));
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => entities[letter] ?? "").replace(unprintable, shown);
}

/** Control characters and marks of text direction: shown as escapes. */
const unprintable = /[^\P{Cc}\t\n]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

export type Cell = Part | { head: Part; rows?: number };

export type TableText = {
  caption: Part;
  /** The columns, with the class of their cells if they have one. */
  columns: (string | { title: string; class: string })[];
  rows: Cell[][];
  /** The text of a table without rows. */
  none: string;
};

/** A column of times, which are not broken at their hyphens. */
export function when(title: string): { title: string; class: string } {
  return { title, class: "when" };
}

/** In its own container, which scrolls if the page is too narrow. */
export function table({ caption, columns, rows, none }: TableText, label: string): Markup {
  if (rows.length === 0) return markup`<p class="none">${none}</p>`;
  const heads = columns.map((column) => {
    const title = typeof column === "string" ? column : column.title;
    return markup`<th scope="col">${title}</th>`;
  });
  // If a head spans rows, the rows below it have one cell less.
  const lines = rows.map((row) => {
    const skipped = columns.length - row.length;
    return markup`<tr>${row.map((cell, at) => cellOf(cell, columns[at + skipped]))}</tr>
    `;
  });
  return markup`<div class="scroll" role="group" tabindex="0" aria-label="${label}">
    <table>
      <caption>${caption}</caption>
      <thead><tr>${heads}</tr></thead>
      <tbody>
        ${lines}
      </tbody>
    </table>
  </div>`;
}

function cellOf(cell: Cell, column: TableText["columns"][number] | undefined): Markup {
  if (typeof cell === "object" && "head" in cell) {
    const { head, rows = 1 } = cell;
    if (rows === 1) return markup`<th scope="row">${head}</th>`;
    return markup`<th scope="rowgroup" rowspan="${rows}">${head}</th>`;
  }
  const own = typeof column === "object" ? markup` class="${column.class}"` : undefined;
  return markup`<td${own}>${cell}</td>`;
}
