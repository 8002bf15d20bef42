/** Where a managed key's policy is named: in the configuration, or by the tag on its first version. */
import type { Configuration } from "./config.ts";
import type { Home, ManagedKey, Policy } from "./workflow/types.ts";

export function homesOf(configuration: Configuration): Map<string, Home> {
  return new Map(
    configuration.managedKeys.map(({ alias, aliases, policy, dependents }) => {
      const resolved = configuration.policies[policy];
      if (resolved === undefined) throw new Error(`no policy ${policy}`);
      return [alias, { alias, aliases, policy: resolved, dependents }];
    }),
  );
}

/** The configuration's word goes before the tag's. Undefined where neither names it. */
export function homeOf(
  homes: Map<string, Home>,
  configuration: Configuration,
  record: Pick<ManagedKey, "alias" | "aliases" | "enrolledBy" | "policy">,
): Home | undefined {
  const configured = homes.get(record.alias);
  if (configured !== undefined || record.enrolledBy === "configuration") return configured;
  return taggedHome(configuration, record.alias, record.aliases, record.policy.name);
}

/** The right to tag is common: it must not become the right to delete. */
export function taggedHome(
  { policies }: Configuration,
  alias: string,
  aliases: string[],
  policyName: string,
): Home | undefined {
  const named = policies[policyName];
  if (named === undefined) return undefined;
  const policy: Policy =
    named.retire === "delete"
      ? {
          ...named,
          retire: "disable",
          approval: named.approval === "delete" ? "none" : named.approval,
        }
      : named;
  return { alias, aliases, policy, dependents: [] };
}
