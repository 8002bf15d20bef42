/** Reports at synth what the retired versions of a deployment will cost. */
import { Annotations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";
import type { Configuration } from "../lambda/configuration/configuration.ts";
import { keptVersions, keptVersionsText } from "../lambda/configuration/kept-versions.ts";

/** One message for all managed keys: a warning, which `--strict` makes an error, only where a limit of KMS is near. */
export function reportKeptVersions(
  scope: IConstruct,
  { managedKeys, policies }: Configuration,
): void {
  const kept = keptVersions(managedKeys.flatMap(({ policy }) => policies[policy] ?? []));
  if (kept === undefined) return;
  const text = keptVersionsText(kept);
  const annotations = Annotations.of(scope);
  if (kept.quotaReachedInYear === undefined) annotations.addInfoV2("keyturn:kept-versions", text);
  else annotations.addWarningV2("keyturn:key-quota", text);
}
