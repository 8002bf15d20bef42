/** Parses the period of a report. */
import { dayMs } from "../../lambda/workflow/model/limits.ts";
import { exitCodes, Failure } from "../terminal/failure.ts";

/** `toMs` is the first millisecond after it. */
export type Period = { fromMs: number; toMs: number };

export function periodOf(
  given: { from?: string | undefined; to?: string | undefined },
  nowMs: number,
): Period {
  const toMs = given.to === undefined ? nowMs : boundOf("--to", given.to, dayMs);
  const fromMs = given.from === undefined ? yearBefore(toMs) : boundOf("--from", given.from, 0);
  if (fromMs < toMs) return { fromMs, toMs };
  const observed = `${given.from ?? isoOf(fromMs)} and ${given.to ?? isoOf(toMs)}`;
  throw usage(`--from must be before --to; got ${observed}`);
}

/** A period includes its last day: a date without a time gets `dayLastsMs` added. */
function boundOf(option: string, text: string, dayLastsMs: number): number {
  const shape = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/;
  const [isDate, time, , , zone] = shape.exec(text) ?? [];
  const atMs = Date.parse(time !== undefined && zone === undefined ? `${text}Z` : text);
  // Date.parse accepts 31 February as a day in March.
  const isReal = isoOf(Date.parse(text.slice(0, 10))).startsWith(text.slice(0, 10));
  if (isDate === undefined || Number.isNaN(atMs) || !isReal) {
    const expected = "a date in UTC such as 2027-03-31, or 2027-03-31T12:00:00Z";
    throw usage(`${option}: got ${JSON.stringify(text)}, expected ${expected}`);
  }
  return time === undefined ? atMs + dayLastsMs : atMs;
}

function yearBefore(atMs: number): number {
  const date = new Date(atMs);
  return date.setUTCFullYear(date.getUTCFullYear() - 1);
}

function isoOf(atMs: number): string {
  return Number.isNaN(atMs) ? "" : new Date(atMs).toISOString();
}

function usage(message: string): Failure {
  return new Failure(exitCodes.usage, message, "npx keyturn report --help");
}
