/** `keyturn status`, once or repeatedly. */
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
    .description(
      "shows all managed keys, those that need an operator first; with an alias, shows its details",
    )
    .argument("[alias]")
    .option("--findings", "only managed keys with findings")
    .option("--overdue", "only managed keys past their cryptoperiod")
    .option("--moving", "only managed keys in rotation")
    .option(
      "--watch [seconds]",
      `refreshes at this interval (default: ${usuallyEveryS}) until Ctrl-C`,
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
