/** Where a command's answer goes: data to stdout, talk to stderr, and how both are to look. */
import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";

export type Talk = {
  /** How many columns there are to fill. */
  columns: number;
  /** A line of the answer. */
  line(text?: string): void;
  /** The answer for programs: one JSON document. */
  json(value: unknown): void;
  /** Talk beside the answer. */
  note(text: string): void;
  styled(style: Style, text: string): string;
};

const defaultColumns = 80;

/** A pipe that is closed early (`| head`) is no mistake of anybody's. */
export function endQuietlyWithThePipe(stream: NodeJS.WriteStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(process.exitCode ?? 0);
  });
}

export function talkOf(
  stdout: NodeJS.WriteStream,
  stderr: NodeJS.WriteStream,
  env: Record<string, string | undefined>,
): Talk {
  const given = Number(env["COLUMNS"]);
  const columns = stdout.columns || (Number.isInteger(given) && given > 0 ? given : defaultColumns);
  const forced = env["FORCE_COLOR"];
  const isColoured =
    (env["NO_COLOR"] ?? "") === "" &&
    (forced === undefined ? stdout.isTTY && env["TERM"] !== "dumb" : forced !== "0");
  return {
    columns,
    line: (text = "") => void stdout.write(`${text}\n`),
    json: (value) => void stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    styled: (style, text) =>
      isColoured ? styleText(style, text, { validateStream: false }) : text,
  };
}
