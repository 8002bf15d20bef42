/**
 * The commands by which an operator asks something of a managed key (docs/requests.md). The environment
 * says which table, Region and credentials are meant: KEYTURN_TABLE beside AWS's own variables.
 */
import { commandLine } from "./commands.ts";
import type { ManagedKey } from "./types.ts";

export function requestCommand(
  alias: string,
  name: "acknowledge" | "approve" | "reconcile" | "resume" | "rollback",
  options: Record<string, string | number> = {},
): string {
  const words = Object.entries(options).flatMap(([option, value]) => [`--${option}`, value]);
  return commandLine("npx", "keyturn", name, alias, ...words);
}

/** Asks for a proposal first, and then for just that to be written. */
export function reconcileCommand({
  alias,
  proposal,
}: Pick<ManagedKey, "alias" | "proposal">): string {
  if (proposal === undefined) return requestCommand(alias, "reconcile");
  return requestCommand(alias, "reconcile", { proposal: proposal.revision, confirm: alias });
}
