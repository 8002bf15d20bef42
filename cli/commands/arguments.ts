/** Parses the arguments of commands. */
import { InvalidArgumentError } from "commander";
import { parseDuration } from "../../lambda/configuration/durations.ts";
import { dayMs } from "../../lambda/workflow/model/limits.ts";
import type { Anchor } from "../journal/chain.ts";

export function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number, 1 or more");
}

const longestS = 86_400;

export function seconds(text: string): number {
  const number = /^\d{1,5}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
  if (number > 0 && number <= longestS) return number;
  throw new InvalidArgumentError(`expected seconds, up to ${longestS}`);
}

/** Epoch milliseconds, or an ISO 8601 time. */
export function timeOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const atMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(atMs)) return atMs;
  throw new InvalidArgumentError("expected epoch milliseconds, or 2027-03-06T07:15Z");
}

export const aheadMostMs = 400 * dayMs;

/** A duration from now on, written as in a policy, or a time. */
export function untilOf(text: string): { forMs: number } | { atMs: number } {
  const forMs = parseDuration(text);
  if (forMs === undefined) return { atMs: timeOf(text) };
  if (forMs <= aheadMostMs) return { forMs };
  throw new InvalidArgumentError("expected 400d at most");
}

export function endpointOf(text: string): string {
  if (/^https?:/.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError("expected a URL, http://… or https://…");
}

export function anchorOf(text: string): Anchor {
  const [, line, hash = ""] = /^(?:([1-9]\d{0,8}):)?([0-9a-f]{64})$/.exec(text) ?? [];
  if (hash === "") throw new InvalidArgumentError("expected 64 hexadecimal digits, or LINE:DIGITS");
  return { hash, ...(line === undefined ? {} : { revision: Number(line) }) };
}
