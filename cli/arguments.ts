/** Arguments as people write them. */
import { InvalidArgumentError } from "commander";
import type { Anchor } from "./chain.ts";

export function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number, 1 or more");
}

export function anchorOf(text: string): Anchor {
  const [, line, hash = ""] = /^(?:([1-9]\d{0,8}):)?([0-9a-f]{64})$/.exec(text) ?? [];
  if (hash === "") throw new InvalidArgumentError("expected 64 hexadecimal digits, or LINE:them");
  return { hash, ...(line === undefined ? {} : { revision: Number(line) }) };
}
