/** What the commands get from the process, and the options that all of them share. */
import type { Command } from "commander";
import type { Prompt } from "../requests/confirm.ts";
import type { ExitCode } from "../terminal/failure.ts";
import type { Session, Where } from "../session.ts";
import type { Talk } from "../terminal/talk.ts";

export type Surroundings = {
  talk: Talk;
  env: Record<string, string | undefined>;
  nowMs: number;
  /** A new id of a request: later ones sort behind earlier ones. */
  newId: () => string;
  exit: (code: ExitCode) => void;
  prompt: Prompt;
};

export type Common = Where & { json?: boolean; now?: number };

/** Runs what needs the table, and leaves with its exit code. */
export type Within = (
  command: Command,
  work: (session: Session) => Promise<ExitCode>,
) => Promise<void>;
