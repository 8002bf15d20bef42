/** The commands that predict the next runs, and apply the prediction. */
import { Option, type Command } from "commander";
import { untilOf } from "./arguments.ts";
import type { PlanOptions } from "./plan.ts";
import type { Surroundings, Within } from "./surroundings.ts";
import { asker, byOption } from "./asker.ts";

export function addPlans(program: Command, { env }: Surroundings, within: Within): void {
  program
    .command("plan")
    .description("predicts the next runs: their times, their KMS calls and their cost")
    .argument("[alias...]")
    .addOption(
      new Option("--until <when>", "the end of the prediction: 30d, or 2027-03-06")
        .argParser(untilOf)
        .default(untilOf("30d"), "30d"),
    )
    .option("--out <file>", "writes a plan whose rotations begin now, for `npx keyturn apply`")
    .action(async (aliases: string[], options: PlanOptions, command: Command) => {
      const { plan } = await import("./plan.ts");
      await within(command, (session) => plan(session, aliases, options));
    });

  program
    .command("apply")
    .description("requests the rotations of a plan, if the state has not changed since")
    .argument("<file>")
    .option(...byOption)
    .option("--reason <text>", "the reason, for the journal")
    .action(async (file: string, options: { by?: string; reason?: string }, command: Command) => {
      const { apply } = await import("./apply.ts");
      const by = asker(options.by, env, "apply");
      await within(command, (session) => apply(session, file, { ...options, by }));
    });
}
