/** Where a managed alias is, and who else claims it: problems that only the whole app shows. */
import { CfnDeletionPolicy, Stack, Token } from "aws-cdk-lib";
import * as kms from "aws-cdk-lib/aws-kms";
import type { IConstruct } from "constructs";
import { aliasOf, namesOf, targetOf, type Managed } from "./managed-alias.ts";

/** A deployment, and what it manages. */
export type Deployment = { scope: IConstruct; managed: Managed[] };

type Place = { account: string; region: string };

/** `earlier`: the deployments before this one in the app. */
export function placementOf({ scope, managed }: Deployment, earlier: Deployment[]): string[] {
  return managed.flatMap((one) => [
    ...(typeof one.alias === "string"
      ? namedByString(scope, one.alias)
      : ofConstruct(scope, one.alias)),
    ...namesOf(scope, one).flatMap((name) => claimedTwice(scope, name, earlier)),
  ]);
}

/** Without the construct, keyturn would not retain the key and the alias. */
function namedByString(scope: IConstruct, name: string): string[] {
  return scope.node.root.node.findAll().flatMap((node) => {
    const isIt =
      node instanceof kms.CfnAlias &&
      nameIn(node) === name &&
      isSamePlace(Stack.of(scope), Stack.of(node));
    if (!isIt) return [];
    return [
      `manage(): ${name} is the alias ${node.node.path} of this app: pass the construct. Its stack then retains the key and the alias`,
    ];
  });
}

function ofConstruct(scope: IConstruct, alias: kms.IAlias): string[] {
  const { path } = alias.node;
  const problems: string[] = [];
  if (!isSamePlace(Stack.of(scope), Stack.of(alias))) {
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
function claimedTwice(scope: IConstruct, name: string, earlier: Deployment[]): string[] {
  const { account, region } = Stack.of(scope);
  const first = earlier.find((other) => {
    const there = Stack.of(other.scope);
    const isHere = there.account === account && there.region === region;
    return isHere && other.managed.some((one) => namesOf(other.scope, one).includes(name));
  });
  if (first === undefined) return [];
  return [`manage(): ${name} is managed by ${first.scope.node.path} already`];
}

function nameIn({ aliasName }: kms.CfnAlias): string | undefined {
  return Token.isUnresolved(aliasName) ? undefined : aliasName;
}

/** Also where one of them is not known at synth. */
export function isSamePlace(one: Place, other: Place): boolean {
  const isSame = (a: string, b: string): boolean =>
    a === b || Token.isUnresolved(a) || Token.isUnresolved(b);
  return isSame(one.account, other.account) && isSame(one.region, other.region);
}
