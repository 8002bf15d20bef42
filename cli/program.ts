/** The commands, their options and their help. */
import { Command } from "commander";
import { wholeNumber } from "./arguments.ts";
import { addReads } from "./read-commands.ts";
import { addRequests } from "./request-commands.ts";
import type { ExitCode } from "./failure.ts";
import { openSession, type Session, type Where } from "./session.ts";
import type { Talk } from "./talk.ts";

export type Surroundings = {
  talk: Talk;
  env: Record<string, string | undefined>;
  nowMs: number;
  /** A new id of a request: later ones sort behind earlier ones. */
  newId: () => string;
  exit: (code: ExitCode) => void;
};

export type Common = Where & { json?: boolean; now?: number };

/** Runs what needs the table, and leaves with its exit code. */
export type Within = (
  command: Command,
  work: (session: Session) => Promise<ExitCode>,
) => Promise<void>;

const exitCodesHelp = `
Exit codes: 0 done, or all is well; 1 something needs a person; 2 not understood; 3 the table cannot be
reached; 4 no such managed key or finding.`;

export function createProgram(around: Surroundings): Command {
  const { talk, env, nowMs, exit } = around;
  const program = new Command("keyturn")
    .description(
      "What an operator types: reads the state table, writes requests; KMS stays the function's.",
    )
    .option("--table <name>", "the state table (or KEYTURN_TABLE)")
    .option("--region <name>", "the AWS Region (or AWS_REGION)")
    .option("--profile <name>", "the profile of the AWS configuration (or AWS_PROFILE)")
    .option("--endpoint-url <url>", "where DynamoDB is reached (or AWS_ENDPOINT_URL)")
    .option("--json", "the answer as one JSON document on stdout, its `schema` named")
    .addHelpText("after", exitCodesHelp)
    .option("--now <ms>", "what is taken for the present, in epoch milliseconds", wholeNumber)
    .showHelpAfterError("(keyturn --help shows how)");

  const within: Within = async (command, work) => {
    const { json = false, now = nowMs, ...where } = command.optsWithGlobals<Common>();
    exit(await work(await openSession(where, talk, env, { nowMs: now, json })));
  };

  addReads(program, around, within);
  addRequests(program, around, within);
  return program;
}
