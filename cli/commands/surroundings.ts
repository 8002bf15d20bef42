/** What the commands get from the process, and their common options. */
import type { Command } from "commander";
import type { Prompt } from "../requests/confirm.ts";
import type { ExitCode } from "../terminal/failure.ts";
import type { Session, Where } from "../session.ts";
import type { Talk } from "../terminal/talk.ts";

export type Surroundings = {
  talk: Talk;
  env: Record<string, string | undefined>;
  nowMs: number;
  /** A new id for a request. Later ids sort after earlier ones. */
  newId: () => string;
  exit: (code: ExitCode) => void;
  prompt: Prompt;
};

export type Common = Where & { json?: boolean; now?: number };

/** Runs work that needs the table, and exits with its exit code. */
export type Within = (
  command: Command,
  work: (session: Session) => Promise<ExitCode>,
) => Promise<void>;
