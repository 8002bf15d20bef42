/** The timeline: one line for each event, as text or as JSON. */
import { styleText } from "node:util";

export type Who = "keyturn" | "application" | "operator" | "machine";

export type Entry = {
  atMs: number;
  who: Who;
  /** Empty if the entry is about all of them, or none. */
  aliases: string[];
  /** One of the five steps. */
  step?: string;
  what: string;
  why?: string;
  /** A fault, or its correction. */
  incident?: boolean;
};

export type Colour = "bold" | "cyan" | "dim" | "green" | "red" | "yellow";
export type Paint = (colour: Colour, text: string) => string;

/** Same order as Node: FORCE_COLOR before NO_COLOR, and both before the terminal. */
export function choosePaint(environment: NodeJS.ProcessEnv, isTerminal: boolean): Paint {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: terminal } = environment;
  const wanted =
    force === undefined
      ? isTerminal && (no ?? "") === "" && terminal !== "dumb"
      : force !== "0" && force !== "false";
  if (!wanted) return (_colour, text) => text;
  return (colour, text) => styleText(colour, text, { validateStream: false });
}

const colours: Record<Who, Colour> = {
  keyturn: "cyan",
  application: "green",
  operator: "yellow",
  machine: "red",
};

/** The most aliases that one line names. */
const namedAtMost = 4;

export function entryLine({ atMs, who, aliases, step, ...entry }: Entry, paint: Paint): string {
  const date = new Date(atMs).toISOString().slice(0, 16).replace("T", " ");
  const named = aliases.slice(0, aliases.length > namedAtMost ? 1 : namedAtMost).join(", ");
  const others = aliases.length > namedAtMost ? ` and ${aliases.length - 1} others` : "";
  const subject = aliases.length === 0 ? "" : `${named}${others}: `;
  const what = entry.incident === true ? paint("bold", entry.what) : entry.what;
  const why = entry.why === undefined ? "" : paint("dim", ` (${entry.why})`);
  const columns = [
    paint("dim", date),
    paint(colours[who], who.padEnd("application".length)),
    (step ?? "").padEnd("distribute".length),
  ];
  return `${columns.join("  ")}  ${subject}${what}${why}`;
}

export function entryJson({ atMs, ...entry }: Entry): string {
  return JSON.stringify({ kind: "entry", at: new Date(atMs).toISOString(), ...entry });
}

/** "1 key", "2 keys". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Keys with the same event at the same time share a line, which gives each reason once. */
export function merged(entries: Entry[]): Entry[] {
  const lines = new Map<string, Entry & { whys: Set<string> }>();
  for (const entry of entries) {
    const key = JSON.stringify([entry.atMs, entry.who, entry.step, entry.what]);
    const line = lines.get(key) ?? { ...entry, aliases: [], whys: new Set<string>() };
    line.aliases = [...line.aliases, ...entry.aliases];
    if (entry.why !== undefined) line.whys.add(entry.why);
    lines.set(key, line);
  }
  return [...lines.values()].map(({ whys, why: _, ...line }) => {
    return whys.size === 0 ? line : { ...line, why: [...whys].join("; ") };
  });
}
