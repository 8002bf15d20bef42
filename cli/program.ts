/** The commands, their options and their help. */
import { Command } from "commander";
import { endpointOf, timeOf } from "./commands/arguments.ts";
import { examplesOf } from "./commands/examples.ts";
import { formatItem } from "./commands/help.ts";
import { addPlans } from "./commands/plan-commands.ts";
import { addReads } from "./commands/read-commands.ts";
import { addRequests } from "./commands/request-commands.ts";
import { openSession } from "./session.ts";
import type { Common, Surroundings, Within } from "./commands/surroundings.ts";
import { wrapped } from "./terminal/text.ts";

const exitCodesHelp =
  "Exit codes: 0 done, or all is well; 1 something needs an operator; 2 the command line is wrong, or the answer cannot be written; 3 the table cannot be reached; 4 no such managed key or finding.";

const helpColumns = 80;

export function createProgram(around: Surroundings): Command {
  const { talk, env, nowMs, exit } = around;
  const columns = Number.isFinite(talk.columns) ? talk.columns : helpColumns;
  const program = new Command("keyturn")
    .description(
      "Reads keyturn's state table and writes requests to it. Only the function calls KMS.",
    )
    .option("--table <name>", "the state table (or KEYTURN_TABLE)")
    .option("--region <name>", "the AWS Region (or AWS_REGION)")
    .option("--profile <name>", "the profile of the AWS configuration (or AWS_PROFILE)")
    .option("--endpoint-url <url>", "the endpoint of DynamoDB (or AWS_ENDPOINT_URL)", endpointOf)
    .option("--json", "answers with one JSON document that names its `schema`")
    .addHelpText("after", () => `\n${wrapped(exitCodesHelp, columns).join("\n")}`)
    .addHelpText("after", examplesOf("keyturn"))
    .option(
      "--now <when>",
      "the present time to assume: epoch milliseconds, or 2027-03-06T07:15Z",
      timeOf,
    )
    .showHelpAfterError("(see npx keyturn --help)")
    .configureHelp({ formatItem, minWidthToWrap: 20 })
    .configureOutput({ getOutHelpWidth: () => columns, getErrHelpWidth: () => columns });

  const within: Within = async (command, work) => {
    const { json = false, now, ...where } = command.optsWithGlobals<Common>();
    const session = { nowMs: now ?? nowMs, isNowGiven: now !== undefined, json };
    exit(await work(await openSession(where, talk, env, session)));
  };

  addReads(program, around, within);
  addPlans(program, around, within);
  addRequests(program, around, within);
  for (const command of program.commands) {
    command.addHelpText("after", examplesOf(command.name()));
  }
  return program;
}
