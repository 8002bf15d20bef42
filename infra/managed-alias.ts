/** The argument of `manage()`: an alias of this app, or the name of any other alias. */
import { CfnResource, RemovalPolicy, Stack, Tags, Token } from "aws-cdk-lib";
import * as kms from "aws-cdk-lib/aws-kms";
import type { IConstruct } from "constructs";
import { tagNames } from "../lambda/workflow/model/tag-names.ts";

export interface ManageOptions {
  /**
   * Further aliases of the same key, which move together.
   * @default - none
   */
  readonly aliases?: string[];

  /**
   * Dependents that must acknowledge a new version before the alias moves to it.
   * @default - none
   */
  readonly dependents?: string[];
}

/** A managed key, as the app names it. */
export type Managed = ManageOptions & { alias: kms.IAlias | string; policy: string };

/** The name, if known at synth: the function's package contains the configuration. */
export function nameOf(scope: IConstruct, alias: kms.IAlias | string): string | undefined {
  if (typeof alias === "string") return alias;
  // With the feature flag aws-kms:aliasNameRef, aliasName is a reference.
  const resource = resourceOf(alias);
  const written = resource instanceof kms.CfnAlias ? resource.aliasName : alias.aliasName;
  const name: unknown = Stack.of(scope).resolve(written);
  return typeof name === "string" && !Token.isUnresolved(name) ? name : undefined;
}

/** The names that are known at synth. */
export function namesOf(scope: IConstruct, { alias, aliases = [] }: Managed): string[] {
  return [nameOf(scope, alias), ...aliases].filter((name) => name !== undefined);
}

/** Why keyturn cannot manage the key behind an alias of this app. */
export function whyUnfit(alias: kms.IAlias | string): string | undefined {
  if (typeof alias === "string") return undefined;
  const [cfnAlias, key] = [resourceOf(alias), targetOf(alias)];
  const [own, other] = ["not a resource of this app", "name it by a string to manage it"];
  if (!(cfnAlias instanceof kms.CfnAlias)) return `${alias.node.path} is ${own}: ${other}`;
  if (!(key instanceof kms.CfnKey)) return `the key of ${alias.node.path} is ${own}: ${other}`;
  if (key.origin === "EXTERNAL") {
    return `${key.node.path} has imported key material, which keyturn cannot create`;
  }
  if (key.multiRegion === true) return `${key.node.path} is a multi-Region key`;
  return undefined;
}

/**
 * Retains what this stack made; only keyturn retires it: the key must outlive the stack like its
 * data, and deleting a moved alias would make the new key unreachable.
 */
export function retain(alias: kms.IAlias | string, owner: string): void {
  if (typeof alias === "string") return;
  resourceOf(alias)?.applyRemovalPolicy(RemovalPolicy.RETAIN);
  const key = targetOf(alias);
  key?.applyRemovalPolicy(RemovalPolicy.RETAIN);
  if (key !== undefined) Tags.of(key).add(tagNames.owner, owner);
}

/** The key of an alias: the same object for each alias of one key. */
export function targetOf(alias: kms.IAlias | string): CfnResource | undefined {
  return alias instanceof kms.Alias ? resourceOf(alias.aliasTargetKey) : undefined;
}

/** The resource of an alias. */
export function aliasOf(alias: kms.IAlias | string): CfnResource | undefined {
  return typeof alias === "string" ? undefined : resourceOf(alias);
}

function resourceOf({ node }: IConstruct): CfnResource | undefined {
  return node.defaultChild instanceof CfnResource ? node.defaultChild : undefined;
}
