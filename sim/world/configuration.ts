/** The configuration under which keyturn runs in the simulated world: one managed key per alias. */
import type { Configuration } from "../../lambda/configuration/configuration.ts";
import type { Policy } from "../../lambda/workflow/model/types.ts";

/** The configuration that gives each alias of `byAlias` its policy. */
export function configurationOf(byAlias: ReadonlyMap<string, Policy>): Configuration {
  const policies: Configuration["policies"] = {};
  const managedKeys = [...byAlias].map(([alias, policy]) => {
    policies[policy.name] = policy;
    return { alias, aliases: [alias], policy: policy.name, dependents: [] };
  });
  return {
    owner: "acme",
    mode: "act",
    policies,
    managedKeys,
    acceptedRefusals: [],
    taggedAliases: [],
  };
}
