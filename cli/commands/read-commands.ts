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
    .description("shows the journal of a managed key")
    .argument("<alias>")
    .option("--last <lines>", "shows only this number of lines, the latest ones", wholeNumber)
    .action(async (alias: string, options: { last?: number }, command: Command) => {
      const { history } = await import("./history.ts");
      await within(command, (session) => history(session, alias, options));
    });

  program
    .command("verify")
    .description("verifies the hash chain of a journal, or of all journals")
    .argument("[alias]")
    .option("--anchor <[line:]hash>", "a head that you noted outside the table", anchorOf)
    .action(
      async (alias: string | undefined, { anchor }: { anchor?: Anchor }, command: Command) => {
        const { verify } = await import("./history.ts");
        await within(command, (session) => verify(session, alias, anchor));
      },
    );

  program
    .command("doctor")
    .description(
      "checks the service: runs, audit, excess keys, drift, and the monitoring of the drain",
    )
    .action(async (_: object, command: Command) => {
      const { doctor } = await import("./doctor.ts");
      await within(command, doctor);
    });

  program
    .command("report")
    .description("writes a compliance report: HTML that needs no network, CSV and JSON")
    .requiredOption("--out <dir>", "the directory for the files")
    .option("--from <date>", "the first day, in UTC (default: a year before --to)")
    .option("--to <date>", "the last day, in UTC (default: now)")
    .action(async (options: ReportOptions, command: Command) => {
      const { report } = await import("./report.ts");
      await within(command, (session) => report(session, options));
    });

  program
    .command("explain")
    .description("explains a finding: meaning, cause and remedy; without a code, lists all")
    .argument("[code]")
    .action((code: string | undefined, _: object, command: Command) => {
      exit(explain(code, talk, command.optsWithGlobals<Common>().json ?? false));
    });
}
