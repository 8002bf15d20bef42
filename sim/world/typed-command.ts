/** A printed command of a finding, as a person types it into a shell: calls of KMS, and requests. */
import { commandsOf } from "./shell.ts";

export type Typed =
  | { kind: "aws"; operation: string; input: Record<string, unknown> }
  | { kind: "request"; request: Record<string, unknown> };

const numbers = new Set(["PendingWindowInDays"]);

/** Throws for a command of another program. */
export function typed(line: string): Typed[] {
  return commandsOf(line).map((words) => {
    const [program, service, name = "", ...rest] = words;
    if (program === "aws" && service === "kms") {
      return { kind: "aws", operation: pascal(name), input: inputOf(rest) };
    }
    if (program === "npx" && service === "keyturn")
      return { kind: "request", request: requestOf(name, rest) };
    throw new Error(`nobody can type this here: ${line}`);
  });
}

function inputOf(words: string[]): Record<string, unknown> {
  return Object.fromEntries(pairsOf(words).map(([option, value]) => fieldOf(option, value)));
}

/** The field of an operation's input that an option, without its dashes, sets. */
export function fieldOf(option: string, value: string): [name: string, value: unknown] {
  const name = pascal(option);
  return [name, numbers.has(name) || value.startsWith("[") ? JSON.parse(value) : value];
}

/** The alias comes first; `explain` and `history` only print. */
function requestOf(name: string, [, ...options]: string[]): Record<string, unknown> {
  const shows = ["explain", "history", "status"];
  if (shows.includes(name)) return { kind: "explain" };
  const { confirm: _, ...fields } = Object.fromEntries(
    pairsOf(options).map(([option, value]) => [
      option,
      /^\d+$/.test(value) ? Number(value) : value,
    ]),
  );
  return { kind: name, ...fields };
}

function pairsOf(words: string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < words.length; at += 2) {
    pairs.push([(words[at] ?? "").replace(/^--/, ""), words[at + 1] ?? ""]);
  }
  return pairs;
}

export function pascal(kebab: string): string {
  return kebab.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
