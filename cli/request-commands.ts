/** The commands that write a request, one for each kind of docs/requests.md. */
import { userInfo } from "node:os";
import { type Command, Option } from "commander";
import { exitCodes, Failure } from "./failure.ts";
import { wholeNumber } from "./arguments.ts";
import type { Surroundings, Within } from "./program.ts";

type RequestOptions = {
  by?: string;
  reason?: string;
  version?: number;
  compromised?: boolean;
  confirm?: string;
  evidence?: string;
  override?: boolean;
  proposal?: number;
};

type RequestCommand = {
  name: string;
  description: string;
  options?: Option[];
  kind?: (options: RequestOptions) => string;
  fields?: (options: RequestOptions) => Record<string, string | number | boolean | undefined>;
  effect: (options: RequestOptions) => string;
  /** The alias has to be typed. */
  typed?: (options: RequestOptions) => boolean;
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
    name: "approve",
    description: "accepts the evidence of drain of a version, for a policy with an approval gate",
    options: [
      version,
      new Option("--evidence <hash>", "the hash in the finding APPROVAL_REQUIRED"),
      new Option("--override", "of a compromised version: whatever the evidence says"),
      confirm,
    ],
    fields: ({ version: number, evidence, override, confirm: typed }) => ({
      version: number,
      evidence,
      ...(override === true ? { override, confirm: typed } : {}),
    }),
    typed: ({ override }) => override === true,
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
    ],
    fields: ({ proposal }) => ({ proposal }),
    effect: ({ proposal }) =>
      proposal === undefined
        ? "The record is held against KMS, and the finding STATE_BEHIND_KMS shows what would be written, with its number. Nothing is changed."
        : "What was shown under this number is written, if it is still what KMS says.",
  },
  {
    name: "unenrol",
    description: "takes keyturn's tags off, and manages the key no longer",
    options: [confirm],
    kind: () => "un-enrol",
    fields: ({ confirm: typed }) => ({ confirm: typed }),
    typed: () => true,
    effect: () => "keyturn's tags come off; every key and alias stays as it is.",
  },
];

/** A container's user may have no name at all. */
function nameOf(env: Record<string, string | undefined>): string | undefined {
  try {
    return env["USER"] ?? userInfo().username;
  } catch {
    return undefined;
  }
}

export function addRequests(program: Command, { env, newId }: Surroundings, within: Within): void {
  for (const request of requestCommands) {
    const command = program
      .command(request.name)
      .description(request.description)
      .argument("<alias>")
      .option("--by <who>", "who asks; the journal shows it", nameOf(env))
      .option("--reason <text>", "why");
    for (const option of request.options ?? []) command.addOption(option);
    command.action(async (alias: string, options: RequestOptions, self: Command) => {
      const { ask, confirmed } = await import("./commands/requests.ts");
      const { by } = options;
      if (by === undefined) {
        const message = "who asks? Name them by --by: the journal shows it.";
        throw new Failure(exitCodes.usage, message, `keyturn ${request.name} --help`);
      }
      if (request.typed?.(options) === true) confirmed(alias, options.confirm, request.name);
      await within(self, (session) =>
        ask(session, alias, {
          kind: request.kind?.(options) ?? request.name,
          fields: request.fields?.(options) ?? {},
          by,
          ...(options.reason === undefined ? {} : { reason: options.reason }),
          id: newId(),
          effect: request.effect(options),
        }),
      );
    });
  }
}
