/** What `manage()` is given: an alias of this app, or the name of one that is somebody else's. */
import { CfnResource, RemovalPolicy, Stack, Tags, Token } from "aws-cdk-lib";
import * as kms from "aws-cdk-lib/aws-kms";
import type { IConstruct } from "constructs";
import { tagNames } from "../lambda/workflow/model/tag-names.ts";

export interface ManageOptions {
  /**
   * Further aliases of the same key, which move with it.
   * @default - none
   */
  readonly aliases?: string[];

  /**
   * Who must acknowledge a new version before the alias moves to it.
   * @default - nobody
   */
  readonly dependents?: string[];
}

/** A key that keyturn rotates, as the app names it. */
export type Managed = ManageOptions & { alias: kms.IAlias | string; policy: string };

/** The name, where it is known at synth; the configuration is part of the function's package. */
export function nameOf(scope: IConstruct, alias: kms.IAlias | string): string | undefined {
  if (typeof alias === "string") return alias;
  // With the feature flag aws-kms:aliasNameRef the alias itself answers with a reference.
  const resource = resourceOf(alias);
  const written = resource instanceof kms.CfnAlias ? resource.aliasName : alias.aliasName;
  const name: unknown = Stack.of(scope).resolve(written);
  return typeof name === "string" && !Token.isUnresolved(name) ? name : undefined;
}

/** Why keyturn cannot look after what an alias of this app points at. */
export function whyUnfit(alias: kms.IAlias | string): string | undefined {
  if (typeof alias === "string") return undefined;
  const [cfnAlias, key] = [resourceOf(alias), targetOf(alias)];
  const [own, other] = ["no resource of this app", "name it by a string to manage it all the same"];
  if (!(cfnAlias instanceof kms.CfnAlias)) return `${alias.node.path} is ${own}: ${other}`;
  if (!(key instanceof kms.CfnKey)) return `the key of ${alias.node.path} is ${own}: ${other}`;
  if (key.origin === "EXTERNAL") {
    return `${key.node.path} holds imported key material, which KMS cannot make a new version of`;
  }
  if (key.multiRegion === true) return `${key.node.path} is a multi-Region key`;
  return undefined;
}

/**
 * What this stack made is from now on keyturn's to end: a key outlives the stack as its data does, and
 * an alias that has moved on would take its new key out of reach with it.
 */
export function retain(alias: kms.IAlias | string, owner: string): void {
  if (typeof alias === "string") return;
  resourceOf(alias)?.applyRemovalPolicy(RemovalPolicy.RETAIN);
  const key = targetOf(alias);
  key?.applyRemovalPolicy(RemovalPolicy.RETAIN);
  if (key !== undefined) Tags.of(key).add(tagNames.owner, owner);
}

/** The same object for each alias of one key. */
export function targetOf(alias: kms.IAlias | string): CfnResource | undefined {
  return alias instanceof kms.Alias ? resourceOf(alias.aliasTargetKey) : undefined;
}

function resourceOf({ node }: IConstruct): CfnResource | undefined {
  return node.defaultChild instanceof CfnResource ? node.defaultChild : undefined;
}
