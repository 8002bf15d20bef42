/**
 * The commands by which an operator sends requests (docs/requests.md). The environment names the
 * table, Region and credentials: KEYTURN_TABLE beside AWS's own variables.
 */
import { commandLine } from "./commands.ts";
import type { ManagedKey } from "./types.ts";

export function requestCommand(
  alias: string,
  name: "accept-policy" | "acknowledge" | "approve" | "reconcile" | "resume" | "rollback",
  options: Record<string, string | number> = {},
): string {
  const words = Object.entries(options).flatMap(([option, value]) => [`--${option}`, value]);
  return commandLine("npx", "keyturn", name, alias, ...words);
}

/** Requests a proposal first, and then the writing of exactly that proposal. */
export function reconcileCommand({
  alias,
  proposal,
}: Pick<ManagedKey, "alias" | "proposal">): string {
  if (proposal === undefined) return requestCommand(alias, "reconcile");
  return requestCommand(alias, "reconcile", { proposal: proposal.revision, confirm: alias });
}
