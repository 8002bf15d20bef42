/** The commands that only read. */
import type { Command } from "commander";
import { anchorOf, wholeNumber } from "./arguments.ts";
import type { Anchor } from "../journal/chain.ts";
import { explain } from "./explain.ts";
import type { ReportOptions } from "./report.ts";
import type { Common, Surroundings, Within } from "./surroundings.ts";
import { addStatus } from "./status-command.ts";

export function addReads(program: Command, around: Surroundings, within: Within): void {
  const { talk, exit } = around;
  addStatus(program, around, within);

  program
    .command("history")
    .description("the journal of a managed key")
    .argument("<alias>")
    .option("--last <lines>", "only so many of the latest", wholeNumber)
    .action(async (alias: string, options: { last?: number }, command: Command) => {
      const { history } = await import("./history.ts");
      await within(command, (session) => history(session, alias, options));
    });

  program
    .command("verify")
    .description("whether the journal of a managed key, or of all, is whole: its chain of hashes")
    .argument("[alias]")
    .option("--anchor <[line:]hash>", "a head that was noted elsewhere", anchorOf)
    .action(
      async (alias: string | undefined, { anchor }: { anchor?: Anchor }, command: Command) => {
        const { verify } = await import("./history.ts");
        await within(command, (session) => verify(session, alias, anchor));
      },
    );

  program
    .command("doctor")
    .description(
      "whether the service itself is well: runs, chores, orphans, drift, the drain's watch",
    )
    .action(async (_: object, command: Command) => {
      const { doctor } = await import("./doctor.ts");
      await within(command, doctor);
    });

  program
    .command("report")
    .description("the evidence for an audit, as files: HTML that needs no network, CSV and JSON")
    .requiredOption("--out <dir>", "the directory that they are written to")
    .option("--from <date>", "the first day, in UTC (a year before --to)")
    .option("--to <date>", "the last day, in UTC (now)")
    .action(async (options: ReportOptions, command: Command) => {
      const { report } = await import("./report.ts");
      await within(command, (session) => report(session, options));
    });

  program
    .command("explain")
    .description("what a finding means, and what to do about it; all of them without a code")
    .argument("[code]")
    .action((code: string | undefined, _: object, command: Command) => {
      exit(explain(code, talk, command.optsWithGlobals<Common>().json ?? false));
    });
}
