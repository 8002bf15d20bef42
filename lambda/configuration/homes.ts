/** A managed key's policy: from the configuration, or from the tag on its first version. */
import type { Configuration } from "./configuration.ts";
import { isLike } from "./patterns.ts";
import { aliasNamePattern } from "./schema.ts";
import type { Home, ManagedKey, Policy } from "../workflow/model/types.ts";

export function homesOf(configuration: Configuration): Map<string, Home> {
  return new Map(
    configuration.managedKeys.map(({ alias, aliases, policy, dependents }) => {
      const resolved = configuration.policies[policy];
      if (resolved === undefined) throw new Error(`no policy ${policy}`);
      return [alias, { alias, aliases, policy: resolved, dependents }];
    }),
  );
}

/** The configuration takes precedence over the tag. Undefined if neither names the alias. */
export function homeOf(
  homes: Map<string, Home>,
  configuration: Configuration,
  record: Pick<ManagedKey, "alias" | "aliases" | "enrolledBy" | "policy">,
): Home | undefined {
  const configured = homes.get(record.alias);
  if (configured !== undefined || record.enrolledBy === "configuration") return configured;
  return taggedHome(configuration, record.alias, record.aliases, record.policy.name);
}

export type Enrollable = { kind: "home"; home: Home } | { kind: "not"; why: string };

/** The home of a key that an operator asks to enrol, or why it can have none. */
export function enrollable(
  configuration: Configuration,
  alias: string,
  policyName: string,
): Enrollable {
  const { managedKeys, policies } = configuration;
  const not = (why: string): Enrollable => ({ kind: "not", why });
  const moved = managedKeys.find(({ aliases }) => aliases.includes(alias));
  if (moved !== undefined) return not(`it is an alias of ${moved.alias}`);
  if (!mayEnrol(configuration, alias)) return not(notOpen(configuration, alias));
  const home = taggedHome(configuration, alias, [alias], policyName);
  const names = Object.keys(policies).join(", ");
  return home === undefined
    ? not(`there is no policy ${policyName}, only ${names}`)
    : { kind: "home", home };
}

/** Whether a tag or a request may enrol the key behind this alias. */
export function mayEnrol(
  { taggedAliases }: Pick<Configuration, "taggedAliases">,
  alias: string,
): boolean {
  return aliasNamePattern.test(alias) && taggedAliases.some((pattern) => isLike(pattern, alias));
}

export function notOpen(
  { taggedAliases }: Pick<Configuration, "taggedAliases">,
  alias: string,
): string {
  return `taggedAliases does not match ${alias}; its patterns: ${taggedAliases.join(", ") || "none"}`;
}

/** Many may tag or write requests: this right must not become the right to delete. */
export function taggedHome(
  { policies }: Configuration,
  alias: string,
  aliases: string[],
  policyName: string,
): Home | undefined {
  // The name may be "constructor".
  const named = Object.hasOwn(policies, policyName) ? policies[policyName] : undefined;
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
