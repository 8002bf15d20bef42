/** The output of a command: the answer to stdout, notes to stderr, and their styles. */
import { styleText } from "node:util";
import { drawn, entering, leaving } from "./frame.ts";
import { escaped } from "./text.ts";

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";

/** A terminal that can be redrawn. */
export type Screen = {
  rows(): number;
  columns(): number;
  /** Enters the alternate screen, without a cursor; `leave` restores the previous one. */
  enter(): void;
  leave(): void;
  draw(frame: readonly string[]): void;
  onResize(draw: () => void): void;
};

export type Talk = {
  /** The width in columns; Infinity in a pipe. */
  columns: number;
  /** Set if stdout is a terminal. */
  screen?: Screen;
  /** A line of the answer. */
  line(text?: string): void;
  /** The answer for programs: one JSON document. */
  json(value: unknown): void;
  /** A note beside the answer. */
  note(text: string): void;
  styled(style: Style, text: string): string;
};

export function talkOf(
  stdout: NodeJS.WriteStream,
  stderr: NodeJS.WriteStream,
  env: Record<string, string | undefined>,
): Talk {
  const given = Number(env["COLUMNS"]);
  const columns = stdout.columns || (Number.isInteger(given) && given > 0 ? given : Infinity);
  const forced = env["FORCE_COLOR"];
  const isColoured =
    (env["NO_COLOR"] ?? "") === "" &&
    (forced === undefined ? stdout.isTTY && env["TERM"] !== "dumb" : forced !== "0");
  const safe = (text: string): string => withoutSteering(text, isColoured);
  const line = (text = ""): void => void stdout.write(`${safe(text)}\n`);
  return {
    columns,
    ...(stdout.isTTY && env["TERM"] !== "dumb" ? { screen: screenOf(stdout, safe) } : {}),
    line,
    json: (value) => line(JSON.stringify(value, undefined, 2)),
    note: (text) => void stderr.write(`${safe(text)}\n`),
    styled: (style, text) =>
      isColoured ? styleText(style, text, { validateStream: false }) : text,
  };
}

function screenOf(stdout: NodeJS.WriteStream, safe: (text: string) => string): Screen {
  return {
    rows: () => stdout.rows,
    columns: () => stdout.columns,
    enter: () => void stdout.write(entering),
    leave: () => void stdout.write(leaving),
    draw: (frame) => void stdout.write(drawn(frame.map(safe))),
    onResize: (draw) => void stdout.on("resize", draw),
  };
}

const styles: Style[] = ["bold", "dim", "red", "yellow", "green", "cyan"];
const ownCodes = new Set(
  styles.flatMap((style) => styleText(style, "|", { validateStream: false }).split("|")),
);

/** The last guard, for text that no view made printable. Only line ends and our colours pass. */
function withoutSteering(text: string, isColoured: boolean): string {
  return text.replace(/\p{Cc}(?:\[\d+m)?|[\u2028-\u202e\u2066-\u2069]/gu, (found) => {
    if (found === "\n" || (isColoured && ownCodes.has(found))) return found;
    return escaped(found) + found.slice(1);
  });
}
