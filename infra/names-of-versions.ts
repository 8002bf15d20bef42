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
import { tagNames } from "../lambda/workflow/model/tag-names.ts";
import { nameOf, namesOf, targetOf, type Managed } from "./managed-alias.ts";

const warningId = "keyturn:names-a-version";
const aliasWarningId = "keyturn:allows-by-alias";

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

/** Warns at every policy of IAM that allows callers while the alias is on the key, and by nothing else. */
export function warnAboutAliases(own: IConstruct, managed: Managed[]): void {
  const names = managed.flatMap((one) => namesOf(own, one));
  for (const node of own.node.root.node.findAll()) {
    if (!(node instanceof CfnResource) || !isPolicy(node)) continue;
    const text = JSON.stringify(Stack.of(node).resolve(renderedOf(node)));
    if (!text.includes('"kms:ResourceAliases"')) continue;
    // The grants of `manage()` have a statement of each kind.
    const isTagged = (name: string): boolean =>
      text.includes(`ResourceTag/${tagNames.alias}":"${name}"`);
    for (const name of names.filter((one) => text.includes(`"${one}"`) && !isTagged(one))) {
      Annotations.of(node).addWarningV2(aliasWarningId, byAliasText(name));
    }
  }
}

function byAliasText(alias: string): string {
  return `allows callers by kms:ResourceAliases while ${alias} is on the key: after a rotation KMS denies them every retired version. Grant it with what manage() returns (grantDecrypt and others), which allows by a tag of each version, too`;
}

function textOf(node: CfnResource, alias: string): string {
  const what = `names the key of ${alias} by its ARN or id: after the first rotation this is a retired version`;
  return isPolicy(node)
    ? `${what}, and KMS denies the caller the active one. Grant it with what manage() returns (grantEncrypt, grantDecrypt and others), which allows every version by its tag`
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
  Tokenization.resolve(renderedOf(node), { scope: Stack.of(node), resolver, preparing: true });
  return found;
}

/** CDK's own way to render a resource; it has no other. */
function renderedOf(node: CfnResource): unknown {
  return (node as unknown as { _toCloudFormation(): unknown })._toCloudFormation();
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
