/** The commands that look ahead, and that have what was seen there done. */
import { Option, type Command } from "commander";
import { untilOf } from "./arguments.ts";
import type { PlanOptions } from "./plan.ts";
import type { Surroundings, Within } from "./surroundings.ts";
import { asker, byOption } from "./asker.ts";

export function addPlans(program: Command, { env }: Surroundings, within: Within): void {
  program
    .command("plan")
    .description("what the next runs will do: when, with which KMS calls, and what that costs")
    .argument("[alias...]")
    .addOption(
      new Option("--until <when>", "how far ahead: 30d, or 2027-03-06")
        .argParser(untilOf)
        .default(untilOf("30d"), "30d"),
    )
    .option(
      "--out <file>",
      "keeps the plan, as it comes if its rotations begin now, for `keyturn apply`",
    )
    .action(async (aliases: string[], options: PlanOptions, command: Command) => {
      const { plan } = await import("./plan.ts");
      await within(command, (session) => plan(session, aliases, options));
    });

  program
    .command("apply")
    .description(
      "has the rotations of a plan begin now: just those, and only if nothing moved since",
    )
    .argument("<file>")
    .option(...byOption)
    .option("--reason <text>", "why")
    .action(async (file: string, options: { by?: string; reason?: string }, command: Command) => {
      const { apply } = await import("./apply.ts");
      const by = asker(options.by, env, "apply");
      await within(command, (session) => apply(session, file, { ...options, by }));
    });
}
