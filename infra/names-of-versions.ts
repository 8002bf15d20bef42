/**
 * What the app names by the ARN or the id of a managed key, instead of its alias or a tag: from the first rotation on,
 * that is a retired version. Reported as warnings, each at its own construct.
 */
import {
  Annotations,
  CfnResource,
  DefaultTokenResolver,
  Reference,
  Stack,
  StringConcat,
  Tokenization,
  type IResolvable,
  type IResolveContext,
} from "aws-cdk-lib";
import * as kms from "aws-cdk-lib/aws-kms";
import type { IConstruct } from "constructs";
import { nameOf, targetOf, type Managed } from "./managed-alias.ts";

const warningId = "keyturn:names-a-version";

/** Warns at every resource outside of `own` that refers to the key of one of these aliases. */
export function warnAboutVersions(own: IConstruct, managed: Managed[]): void {
  const aliases = new Map<IConstruct, string>();
  for (const { alias } of managed) {
    const key = targetOf(alias);
    if (key !== undefined) aliases.set(key, nameOf(own, alias) ?? key.node.path);
  }
  if (aliases.size === 0) return;
  for (const node of own.node.root.node.findAll()) {
    if (!(node instanceof CfnResource) || node.node.scopes.includes(own)) continue;
    // A key may name itself, and an alias begins on its key: keyturn moves it.
    if (node instanceof kms.CfnKey || node instanceof kms.CfnAlias) continue;
    for (const key of referencesOf(node)) {
      const alias = aliases.get(key);
      if (alias !== undefined) Annotations.of(node).addWarningV2(warningId, textOf(node, alias));
    }
  }
}

function textOf(node: CfnResource, alias: string): string {
  const what = `names the key of ${alias} by its ARN or id: after the first rotation this is a retired version`;
  return isPolicy(node)
    ? `${what}, and KMS denies the caller the active one. Allow all keys of the account (key/*) on the condition that a tag of your own (aws:ResourceTag) is on the key: keyturn copies the tag to each version`
    : `${what}. Use the name or the ARN of the alias`;
}

/** Only the policies in IAM's resources can name a key. */
function isPolicy({ cfnResourceType }: CfnResource): boolean {
  return cfnResourceType.startsWith("AWS::IAM::");
}

/** The constructs that the properties of a resource refer to. */
function referencesOf(node: CfnResource): Set<IConstruct> {
  const found = new Set<IConstruct>();
  const resolver = new Recorder(found);
  // CDK's own way to render a resource; it has no other.
  const rendered = (node as unknown as { _toCloudFormation(): unknown })._toCloudFormation();
  Tokenization.resolve(rendered, { scope: Stack.of(node), resolver, preparing: true });
  return found;
}

class Recorder extends DefaultTokenResolver {
  readonly #found: Set<IConstruct>;

  constructor(found: Set<IConstruct>) {
    super(new StringConcat());
    this.#found = found;
  }

  override resolveToken(token: IResolvable, context: IResolveContext, processor: never): unknown {
    if (Reference.isReference(token)) this.#found.add(token.target);
    return super.resolveToken(token, context, processor);
  }
}
