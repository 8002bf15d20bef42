/** Patterns of aliases in the configuration. */
import type { Configuration } from "./configuration.ts";
import type { AcceptedRefusal } from "../workflow/model/types.ts";

/** As in IAM: `*` matches any characters, also none. */
export function isLike(pattern: string, alias: string): boolean {
  return new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(alias);
}

/** The refused uses of this managed key's versions that an operator accepts in the configuration. */
export function acceptedOf(
  { acceptedRefusals }: Pick<Configuration, "acceptedRefusals">,
  managedKey: string,
): AcceptedRefusal[] {
  return acceptedRefusals.filter(({ alias }) => isLike(alias, managedKey));
}
