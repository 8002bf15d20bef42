/** What a test may set of the test world; the rest has defaults. */
import type { Configuration } from "../../lambda/configuration/configuration.ts";
import type {
  AcceptedRefusal,
  DrainWatch,
  Mode,
  Policy,
} from "../../lambda/workflow/model/types.ts";
import { aPolicy } from "../fixtures.ts";

export type WorldOptions = {
  policy?: Partial<Policy>;
  /** Managed keys by alias, with further input of CreateKey for the first version of each. */
  keys?: Record<string, object>;
  aliases?: Record<string, string[]>;
  owner?: string;
  mode?: Mode;
  dependents?: string[];
  taggedAliases?: string[];
  acceptedRefusals?: AcceptedRefusal[];
  lastUsageLagMs?: number;
  keyQuota?: number;
  drainWatch?: DrainWatch;
  /** Whether the second function collects refused uses; a test calls `collectRefused`. */
  refusalsWatch?: DrainWatch;
  /** Whether a due tag search alone starts a run. */
  searchesDaily?: boolean;
  /** Whether an operator approves of each deletion, as soon as a finding asks for it. */
  approves?: boolean;
};

/** One policy, for every managed key. */
export function configurationOf(options: WorldOptions): Configuration {
  const policy = aPolicy(options.policy);
  const aliases = Object.keys(options.keys ?? { "alias/orders": {} });
  return {
    owner: options.owner ?? "acme",
    mode: options.mode ?? "act",
    policies: { [policy.name]: policy },
    managedKeys: aliases.map((alias) => ({
      alias,
      aliases: [alias, ...(options.aliases?.[alias] ?? [])],
      policy: policy.name,
      dependents: options.dependents ?? [],
    })),
    acceptedRefusals: options.acceptedRefusals ?? [],
    taggedAliases: options.taggedAliases ?? ["alias/*"],
  };
}
