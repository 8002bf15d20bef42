/** Where a managed alias is, and who else claims it: problems that only the whole app shows. */
import { CfnDeletionPolicy, Stack, Token } from "aws-cdk-lib";
import * as kms from "aws-cdk-lib/aws-kms";
import type { IConstruct } from "constructs";
import { aliasOf, nameOf, targetOf, type Managed } from "./managed-alias.ts";

/** By app: which deployment manages each alias name, in each account and Region. */
const claims = new WeakMap<IConstruct, Map<string, IConstruct>>();

export function placementOf(scope: IConstruct, managed: Managed[]): string[] {
  return managed.flatMap(({ alias, aliases = [] }) => {
    const names = [nameOf(scope, alias), ...aliases].filter((name) => name !== undefined);
    return [
      ...(typeof alias === "string" ? namedByString(scope, alias) : ofConstruct(scope, alias)),
      ...names.flatMap((name) => claimedTwice(scope, name)),
    ];
  });
}

/** Without the construct, keyturn would not retain the key and the alias. */
function namedByString(scope: IConstruct, name: string): string[] {
  return scope.node.root.node.findAll().flatMap((node) => {
    const isIt = node instanceof kms.CfnAlias && nameIn(node) === name && isSamePlace(scope, node);
    if (!isIt) return [];
    return [
      `manage(): ${name} is the alias ${node.node.path} of this app: pass the construct. Its stack then retains the key and the alias`,
    ];
  });
}

function ofConstruct(scope: IConstruct, alias: kms.IAlias): string[] {
  const { path } = alias.node;
  const problems: string[] = [];
  if (!isSamePlace(scope, alias)) {
    problems.push(
      `manage(): ${path} is in another account or Region than this deployment, which rotates keys in its own only`,
    );
  }
  for (const resource of [aliasOf(alias), targetOf(alias)]) {
    if (resource === undefined) continue;
    const { deletionPolicy, updateReplacePolicy } = resource.cfnOptions;
    const kept = [deletionPolicy, updateReplacePolicy];
    if (kept.every((one) => one === CfnDeletionPolicy.RETAIN)) continue;
    problems.push(
      `manage(): ${resource.node.path} has the removal policy ${kept.map((one) => one ?? "none").join(" and ")}, expected Retain: an aspect or a later call has changed it, and the key would be deleted with the stack`,
    );
  }
  return problems;
}

/** Two deployments would move one alias. */
function claimedTwice(scope: IConstruct, name: string): string[] {
  const { root } = scope.node;
  const known = claims.get(root) ?? new Map<string, IConstruct>();
  claims.set(root, known);
  const stack = Stack.of(scope);
  const place = `${stack.account} ${stack.region} ${name}`;
  const first = known.get(place) ?? scope;
  known.set(place, first);
  if (first === scope) return [];
  return [`manage(): ${name} is managed by ${first.node.path} already`];
}

function nameIn({ aliasName }: kms.CfnAlias): string | undefined {
  return Token.isUnresolved(aliasName) ? undefined : aliasName;
}

/** Also where one of them is not known at synth. */
function isSamePlace(one: IConstruct, other: IConstruct): boolean {
  const [here, there] = [Stack.of(one), Stack.of(other)];
  const isSame = (a: string, b: string): boolean =>
    a === b || Token.isUnresolved(a) || Token.isUnresolved(b);
  return isSame(here.account, there.account) && isSame(here.region, there.region);
}
