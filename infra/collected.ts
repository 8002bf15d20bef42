/** The configuration of the whole app, and its problems. */
import type { CfnResource } from "aws-cdk-lib";
import { Stack, TagManager } from "aws-cdk-lib";
import * as kms from "aws-cdk-lib/aws-kms";
import type { IConstruct } from "constructs";
import {
  type Configuration,
  type ConfigurationDocument,
  ConfigurationError,
  parseConfiguration,
} from "../lambda/configuration/configuration.ts";
import { formatDuration } from "../lambda/configuration/durations.ts";
import { authorizationLagMs, longestRunMs } from "../lambda/workflow/model/limits.ts";
import { tagNames } from "../lambda/workflow/model/tag-names.ts";
import { nameOf, targetOf, whyUnfit, type Managed } from "./managed-alias.ts";
import type { KeyRotationProps } from "./key-rotation-props.ts";
import { withoutVpc } from "./network.ts";
import { documentOf } from "./rotation-policy.ts";

type Props = KeyRotationProps & { owner: string };

/** Either a configuration, or at least one problem. */
export type Collected = {
  document?: ConfigurationDocument;
  configuration?: Configuration;
  problems: string[];
};

export function collect(scope: IConstruct, props: Props, managed: Managed[]): Collected {
  const problems = [
    ...unfit(managed),
    ...repeated(managed),
    ...outOfBounds(props),
    ...unwatched(props),
    ...withoutVpc(props),
  ];
  const managedKeys = managed.flatMap(({ alias, ...rest }) => {
    const name = nameOf(scope, alias);
    if (name !== undefined) return [{ alias: name, ...rest }];
    problems.push(`${pathOf(alias)} has a name that is unknown at synth: give it an aliasName`);
    return [];
  });
  const { owner, mode = "act", taggedAliases = [], acceptedRefusals = [] } = props;
  const policies = Object.fromEntries(
    Object.entries(props.policies).map(([name, policy]) => [name, documentOf(policy)]),
  );
  const document: ConfigurationDocument = {
    owner,
    mode,
    policies,
    managedKeys,
    taggedAliases,
    acceptedRefusals,
  };
  try {
    const configuration = parseConfiguration(document);
    problems.push(...tooShort(configuration));
    return problems.length > 0 ? { problems } : { document, configuration, problems };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const found = error.problems.map(({ path, got, expected }) => {
      return `${inProps(path)}: got ${got}, expected ${expected}`;
    });
    return { problems: [...problems, ...found] };
  }
}

/** For CDK, which prefixes each with the construct's path. */
export function problemsOf(scope: IConstruct, { problems, configuration }: Collected): string[] {
  if (configuration === undefined) return problems;
  return [...problems, ...deletedByTag(scope, configuration)];
}

function unfit(managed: Managed[]): string[] {
  return managed.flatMap(({ alias }) => {
    const why = whyUnfit(alias);
    return why === undefined ? [] : [`manage(): ${why}`];
  });
}

/** Finds two aliases of one key; `parseConfiguration` finds the same alias twice. */
function repeated(managed: Managed[]): string[] {
  const known = new Map<CfnResource, Managed["alias"]>();
  return managed.flatMap(({ alias }) => {
    const key = targetOf(alias);
    const first = key === undefined ? undefined : known.get(key);
    if (key !== undefined && first === undefined) known.set(key, alias);
    if (first === undefined || first === alias) return [];
    const paths = `${pathOf(first)} and ${pathOf(alias)}`;
    return [
      `manage(): ${paths} point at the same key: manage one of them, and list the other in its aliases`,
    ];
  });
}

function outOfBounds({ quotaShare = 0.4 }: Props): string[] {
  const problems: string[] = [];
  if (!(quotaShare >= 0.01 && quotaShare <= 1)) {
    problems.push(`quotaShare: expected a number from 0.01 to 1, got ${quotaShare}`);
  }
  return problems;
}

/** Callers that the rotation locked out have no last use: only their refused uses show them. */
function unwatched({ watchRefusals, policies }: Props): string[] {
  if (watchRefusals !== false) return [];
  return Object.entries(policies).flatMap(([name, { retire }]) => {
    if (retire !== "delete") return [];
    return [
      `policies.${name}.retire: got "delete" beside watchRefusals: false, expected "retain" or "disable" (refused uses must block a deletion)`,
    ];
  });
}

/** A shorter cryptoperiod would let more and more versions drain at the same time. */
function tooShort({ policies }: Configuration): string[] {
  return Object.values(policies).flatMap(({ name, cryptoperiodMs, propagationMs, drain }) => {
    const settleMs = authorizationLagMs + longestRunMs;
    const neededMs = propagationMs + settleMs + drain.atLeastMs;
    if (cryptoperiodMs >= neededMs) return [];
    const got = formatDuration(cryptoperiodMs);
    const parts = `propagation ${formatDuration(propagationMs)}, settle rule ${formatDuration(settleMs)}, drain ${formatDuration(drain.atLeastMs)}`;
    return [
      `policies.${name}.cryptoperiod: got "${got}", expected at least ${formatDuration(neededMs)} (${parts})`,
    ];
  });
}

/** keyturn never deletes a key enrolled by its tag, and so the policy would have no effect. */
function deletedByTag(scope: IConstruct, { policies }: Configuration): string[] {
  return Stack.of(scope)
    .node.findAll()
    .flatMap((node) => {
      if (!(node instanceof kms.CfnKey)) return [];
      const tags = TagManager.of(node)?.tagValues() ?? {};
      const policy = policies[tags[tagNames.policy] ?? ""];
      if (policy?.retire !== "delete") return [];
      return [
        `${node.node.path} has the tag ${tagNames.policy}=${policy.name}: this policy deletes keys, but keyturn never deletes a key enrolled by its tag`,
      ];
    });
}

function pathOf(alias: Managed["alias"]): string {
  return typeof alias === "string" ? alias : alias.node.path;
}

/** The path in the props, which have other names than the document for some fields. */
function inProps(path: string): string {
  return path
    .replace(/\.deletionWindowDays$/, ".deletionWindow")
    .replace(/\.drain\.atLeast$/, ".drainAtLeast")
    .replace(/\.drain\.(quietFor|evidence)$/, ".$1")
    .replace(/^managedKeys\[/, "manage()[");
}
