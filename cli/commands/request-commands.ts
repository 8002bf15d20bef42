/** The commands that write a request, one for each kind of docs/requests.md. */
import type { Fields } from "../requests/supplied.ts";
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
  of?: string;
  accept?: string;
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
  fields?: (options: RequestOptions) => Fields;
  /** `fields`: those of the request, also those that the record supplied. */
  effect: (options: RequestOptions, fields: Fields) => string;
  /** For an alias that is not a managed key yet. */
  begins?: boolean;
  /** Shows something instead of writing a request; undefined if there is nothing to show. */
  instead?: (
    session: Session,
    alias: string,
    options: RequestOptions,
  ) => Promise<ExitCode | undefined>;
  /** Whether the operator must type the alias; default: no. */
  typed?: (options: RequestOptions) => Typed;
};

const version = (which: string): Option =>
  new Option("--version <number>", which).argParser(wholeNumber);
const confirm = new Option(
  "--confirm <alias>",
  "the alias again, to confirm the request in a script",
);

const requestCommands: RequestCommand[] = [
  {
    name: "rotate",
    description: "requests the next rotation now",
    options: [
      new Option("--compromised", "declares a version compromised: uses the shortest waits"),
      version("the compromised version (default: the active one)"),
    ],
    kind: ({ compromised }) => (compromised === true ? "compromised" : "rotate"),
    fields: ({ compromised, version: number }) => (compromised === true ? { version: number } : {}),
    effect: () =>
      "keyturn creates a new version and activates it after the propagation wait; the old one drains.",
  },
  {
    name: "rollback",
    description: "requests a rollback to the previous version",
    options: [version("the version to replace (default: the newest one)")],
    fields: ({ version: number }) => ({ version: number }),
    effect: () =>
      "The previous version becomes active again; newer data stays readable. No rotation opens until `npx keyturn resume`.",
  },
  {
    name: "pause",
    description: "holds a managed key",
    effect: () =>
      "keyturn does not change the managed key until `npx keyturn resume`. It only restores versions that are needed.",
  },
  {
    name: "resume",
    description: "ends the hold after a pause, a rollback or a use attempt",
    effect: () => "The managed key continues from its current step.",
  },
  {
    name: "acknowledge",
    description: "reports that a dependent is ready for a new version",
    options: [
      version("the new version (default: that of the open rotation)"),
      new Option(
        "--dependent <name>",
        "the name of the dependent in the configuration",
      ).makeOptionMandatory(true),
    ],
    fields: ({ version: number, dependent }) => ({ version: number, dependent }),
    effect: () => "The version may become active after every dependent has acknowledged it.",
  },
  {
    name: "approve",
    description: "approves the evidence of a drain, and accepts the needs that remain",
    options: [
      version("the version to revoke (default: the one that waits)"),
      new Option("--evidence <hash>", "the hash in the finding, for a script"),
      new Option(
        "--of <call>",
        "the call to approve: disable or delete (default: the next call)",
      ).choices(["disable", "delete"]),
      new Option("--accept <ids>", "the needs that you accept, separated by commas"),
      new Option("--override", "approves disabling a compromised version, whatever the evidence"),
      confirm,
    ],
    fields: ({ version: number, evidence, of, override, accept }) => ({
      version: number,
      evidence,
      ...(of === undefined ? {} : { of }),
      ...(typeof accept === "string" ? { accepts: accept.split(",") } : {}),
      ...(override === true ? { override } : {}),
    }),
    typed: ({ override }) => (override === true ? "in the request" : "no"),
    effect: ({ override }, fields) =>
      override === true
        ? "keyturn disables the version although it is, or may be, in use. If IAM denies that, the finding prints the command. keyturn never deletes the version on this approval."
        : approved(fields),
  },
  {
    name: "accept-policy",
    description: "accepts the key policy that an external actor put on a version",
    options: [
      version("the version (default: the one that the finding names)"),
      new Option("--policy <hash>", "the hash of the key policy, in the finding"),
    ],
    fields: ({ version: number, policy }) => ({ version: number, policy }),
    effect: (_, { version: number }) =>
      `keyturn takes this key policy of version ${String(number)} as intended, and reports the next change.`,
  },
  {
    name: "reconcile",
    description:
      "after a restore of the table: shows the state of KMS, then writes it to the record",
    options: [
      new Option("--proposal <number>", "the number of the proposal to write").argParser(
        wholeNumber,
      ),
      new Option("--anew", "requests a new proposal"),
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
        ? "keyturn compares the record with KMS. The finding STATE_BEHIND_KMS shows the proposal and its number. keyturn changes nothing."
        : "keyturn writes the proposal with this number to the record, if the state of KMS is still the same.",
  },
  {
    name: "enrol",
    description:
      "enrols the key behind an alias without a deployment, if taggedAliases allows it; keyturn never deletes its versions",
    options: [
      new Option("--policy <name>", "a policy of the configuration").makeOptionMandatory(true),
    ],
    fields: ({ policy }) => ({ policy }),
    begins: true,
    effect: () =>
      "keyturn tags the key behind the alias as version 1 and rotates it by its policy. It never deletes an old version.",
  },
  {
    name: "unenrol",
    description: "removes keyturn's tags but keyturn:alias, and stops managing the key",
    options: [confirm],
    kind: () => "un-enrol",
    typed: () => "in the request",
    effect: () =>
      "keyturn removes its tags, but for keyturn:alias. Every key and alias stays as it is.",
  },
];

function approved({ of, version: number, accepts }: Fields): string {
  const call = of === "delete" ? "ScheduleKeyDeletion" : "DisableKey";
  const needs = Array.isArray(accepts) ? accepts.length : 0;
  const accepting = needs === 0 ? "" : ` It accepts ${needs === 1 ? "1 need" : `${needs} needs`}.`;
  return `The request approves ${call} of version ${String(number)}: keyturn may make this call on this evidence, and on no other.${accepting}`;
}

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
      .option("--reason <text>", "the reason, for the journal")
      .option("--anyway", "writes the request even if the function would reject it now");
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
    effect: (fields) => request.effect(options, fields),
    begins: request.begins === true,
    typed: request.typed?.(options) ?? "no",
    confirm: typed,
    ...{ by, id, anyway, prompt },
  };
}
