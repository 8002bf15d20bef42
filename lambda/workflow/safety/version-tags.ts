/** The tags by which keyturn knows a version; rights may rest on them, its own among them. */
import { commandLine } from "../model/commands.ts";
import { tagNames } from "../model/tag-names.ts";
import type { ManagedKey, StepScene, Tags, Version } from "../model/types.ts";
import { valueOf } from "./observations.ts";

/** Those that do not change while keyturn manages the version; the label does. */
export function identifyingTags(
  { alias }: Pick<ManagedKey, "alias">,
  { number }: Pick<Version, "number">,
): Tags {
  return { [tagNames.alias]: alias, [tagNames.version]: String(number) };
}

/**
 * The command that sets every tag of a version again, as infrastructure code that takes foreign tags off removes all.
 */
export function tagAsVersion(record: ManagedKey, version: Version): string {
  const { label } = version;
  return tagCommand(version.keyId, {
    [tagNames.owner]: record.owner,
    ...identifyingTags(record, version),
    ...(label === undefined || label === "unknown" ? {} : { [tagNames.retired]: label }),
  });
}

/** In JSON: the shorthand of the AWS CLI gives some characters of a value a meaning. */
export function tagCommand(keyId: string, tags: Tags): string {
  const list = Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
  const options = ["--key-id", keyId, "--tags", JSON.stringify(list)];
  return commandLine("aws", "kms", "tag-resource", ...options);
}

/** The CloudFormation stack that made the old version: it tags its resources (user guide, aws-properties-resource-tags). */
export function stackOf({
  observed,
  old,
}: Pick<StepScene, "observed" | "old">): string | undefined {
  return valueOf(observed.tags[old.keyId])?.["aws:cloudformation:stack-name"];
}
