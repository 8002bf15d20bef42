/** The commands that write a request, one for each kind of docs/requests.md. */
import { type Command, Option } from "commander";
import { wholeNumber } from "./arguments.ts";
import { asker, byOption } from "./asker.ts";
import type { Asking, Typed } from "./requests.ts";
import type { Prompt } from "../requests/confirm.ts";
import type { ExitCode } from "../terminal/failure.ts";
import type { Surroundings, Within } from "./surroundings.ts";
import type { Session } from "../session.ts";

type RequestOptions = {
  by?: string;
  reason?: string;
  version?: number;
  compromised?: boolean;
  confirm?: string;
  evidence?: string;
  override?: boolean;
  proposal?: number;
  policy?: string;
  anyway?: boolean;
  anew?: boolean;
  dependent?: string;
};

type RequestCommand = {
  name: string;
  description: string;
  options?: Option[];
  kind?: (options: RequestOptions) => string;
  fields?: (options: RequestOptions) => Record<string, string | number | boolean | undefined>;
  effect: (options: RequestOptions) => string;
  /** It is for what is no managed key yet. */
  begins?: boolean;
  /** What is shown in place of being asked for, where there is something to show. */
  instead?: (
    session: Session,
    alias: string,
    options: RequestOptions,
  ) => Promise<ExitCode | undefined>;
  /** Whether the alias has to be typed; not by default. */
  typed?: (options: RequestOptions) => Typed;
};

const version = new Option("--version <number>", "the version that is meant").argParser(
  wholeNumber,
);
const confirm = new Option(
  "--confirm <alias>",
  "the alias, typed, so that nothing is done unawares",
);

const requestCommands: RequestCommand[] = [
  {
    name: "rotate",
    description: "opens the next rotation now",
    options: [
      new Option(
        "--compromised",
        "of the version named by --version: the waits are as short as can be",
      ),
      version,
    ],
    kind: ({ compromised }) => (compromised === true ? "compromised" : "rotate"),
    fields: ({ compromised, version: number }) => (compromised === true ? { version: number } : {}),
    effect: () =>
      "A new key is made, and serves once it is known everywhere; the old one drains as ever.",
  },
  {
    name: "rollback",
    description: "has a version give way to the one before it",
    options: [version],
    fields: ({ version: number }) => ({ version: number }),
    effect: () =>
      "The version before serves again; what was made meanwhile stays readable. No rotation opens until `keyturn resume`.",
  },
  {
    name: "pause",
    description: "nothing moves",
    effect: () => "Nothing of it moves until `keyturn resume`.",
  },
  {
    name: "resume",
    description: "goes on after a pause, a rollback or a use attempt",
    effect: () => "It goes on where it was.",
  },
  {
    name: "acknowledge",
    description: "says that a dependent is ready for a new version",
    options: [
      version,
      new Option(
        "--dependent <name>",
        "the dependent, as the configuration names it",
      ).makeOptionMandatory(true),
    ],
    fields: ({ version: number, dependent }) => ({ version: number, dependent }),
    effect: () => "The version may become active once every dependent has acknowledged it.",
  },
  {
    name: "approve",
    description: "accepts the evidence of drain of a version, for a policy with an approval gate",
    options: [
      version,
      new Option("--evidence <hash>", "the hash in the finding, for a script that has read it"),
      new Option("--override", "of a compromised version: whatever the evidence says"),
      confirm,
    ],
    fields: ({ version: number, evidence, override }) => ({
      version: number,
      evidence,
      ...(override === true ? { override } : {}),
    }),
    typed: ({ override }) => (override === true ? "in the request" : "no"),
    effect: ({ override }) =>
      override === true
        ? "The version is disabled although it is, or may be, in use; where IAM forbids that, the finding prints the command. It is never deleted on this."
        : "The version may be disabled, or deleted, on this evidence and no other.",
  },
  {
    name: "reconcile",
    description: "for a table that was restored: shows what KMS says, then writes just that",
    options: [
      new Option(
        "--proposal <number>",
        "the number of what was shown, to have it written",
      ).argParser(wholeNumber),
      new Option("--anew", "shows anew what was shown before"),
      confirm,
    ],
    fields: ({ proposal }) => ({ proposal }),
    instead: async (session, alias, { proposal, anew }) => {
      if (proposal !== undefined || anew === true) return undefined;
      const { shownProposal } = await import("./reconcile.ts");
      return shownProposal(session, alias);
    },
    typed: ({ proposal }) => (proposal === undefined ? "no" : "here"),
    effect: ({ proposal }) =>
      proposal === undefined
        ? "The record is held against KMS, and the finding STATE_BEHIND_KMS shows what would be written, with its number. Nothing is changed."
        : "What was shown under this number is written, if it is still what KMS says.",
  },
  {
    name: "enrol",
    description:
      "has the key behind an alias managed, between two deploys: up to disable, where taggedAliases allows it",
    options: [
      new Option("--policy <name>", "a policy of the configuration").makeOptionMandatory(true),
    ],
    fields: ({ policy }) => ({ policy }),
    begins: true,
    effect: () =>
      "The key behind the alias is tagged as version 1, and rotated as its policy says; no old version of it is ever deleted.",
  },
  {
    name: "unenrol",
    description: "takes keyturn's tags off, and manages the key no longer",
    options: [confirm],
    kind: () => "un-enrol",
    typed: () => "in the request",
    effect: () => "keyturn's tags come off; every key and alias stays as it is.",
  },
];

export function addRequests(
  program: Command,
  { env, newId, prompt }: Surroundings,
  within: Within,
): void {
  for (const request of requestCommands) {
    const command = program
      .command(request.name)
      .description(request.description)
      .argument("<alias>")
      .option(...byOption)
      .option("--reason <text>", "why")
      .option("--anyway", "also where the function would refuse it as things are");
    for (const option of request.options ?? []) command.addOption(option);
    command.action(async (alias: string, options: RequestOptions, self: Command) => {
      const { ask } = await import("./requests.ts");
      const by = asker(options.by, env, request.name);
      await within(self, async (session) => {
        const shown = await request.instead?.(session, alias, options);
        return shown ?? ask(session, alias, askingFor(request, options, by, newId(), prompt));
      });
    });
  }
}

function askingFor(
  request: RequestCommand,
  options: RequestOptions,
  by: string,
  id: string,
  prompt: Prompt,
): Asking {
  const { reason, confirm: typed, anyway = false } = options;
  return {
    command: request.name,
    kind: request.kind?.(options) ?? request.name,
    fields: request.fields?.(options) ?? {},
    ...(reason === undefined ? {} : { reason }),
    effect: request.effect(options),
    begins: request.begins === true,
    typed: request.typed?.(options) ?? "no",
    confirm: typed,
    ...{ by, id, anyway, prompt },
  };
}
