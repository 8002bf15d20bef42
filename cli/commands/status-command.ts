/** `keyturn status`, once or again and again. */
import type { Command } from "commander";
import { seconds } from "./arguments.ts";
import type { StatusFilter } from "./status.ts";
import type { ExitCode } from "../terminal/failure.ts";
import type { Surroundings, Within } from "./surroundings.ts";
import type { Session } from "../session.ts";

type StatusOptions = StatusFilter & { watch?: number | true };

const usuallyEveryS = 5;

export function addStatus(program: Command, _: Surroundings, within: Within): void {
  program
    .command("status")
    .description("each managed key in a line, those that need a person first; or all of one")
    .argument("[alias]")
    .option("--findings", "only those with findings")
    .option("--overdue", "only those past their cryptoperiod")
    .option("--moving", "only those in rotation")
    .option(
      "--watch [seconds]",
      `again every so many seconds (${usuallyEveryS}), until Ctrl-C; on a terminal in place`,
      seconds,
    )
    .action(async (alias: string | undefined, options: StatusOptions, command: Command) => {
      const { watch, ...filter } = options;
      const { statusOfAll } = await import("./status.ts");
      const { statusOfOne } = await import("./status-of-one.ts");
      const show = (session: Session): Promise<ExitCode> =>
        alias === undefined ? statusOfAll(session, filter) : statusOfOne(session, alias);
      if (watch === undefined) return within(command, show);
      const { watching } = await import("../status/watch.ts");
      const everyMs = 1000 * (watch === true ? usuallyEveryS : watch);
      return within(command, (session) => watching(session, everyMs, show));
    });
}
