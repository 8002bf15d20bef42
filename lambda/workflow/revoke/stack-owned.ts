/**
 * A key that CloudFormation made stays a resource of its stack when keyturn disables it, and the
 * stack does not notice. So a finding informs the stack's operators before. CloudFormation tags its
 * resources (user guide, aws-properties-resource-tags).
 */
import { commandLine } from "../model/commands.ts";
import { finding } from "../model/findings.ts";
import { dayMs } from "../model/limits.ts";
import { entryOf } from "../safety/old-version.ts";
import { withRotation } from "../model/record.ts";
import { valueOf } from "../safety/observations.ts";
import type { Decision, StepScene } from "../model/types.ts";

const stackTag = "aws:cloudformation:stack-name";

/** Undefined where no stack has the key, or its operators had a day to object. */
export function reportedOfStack(scene: StepScene): Decision | undefined {
  const { record, rotation, old, observed, context } = scene;
  const stack = valueOf(observed.tags[old.keyId])?.[stackTag];
  if (stack === undefined) return undefined;
  const { stackReportedAtMs } = rotation;
  if (stackReportedAtMs === undefined) {
    return {
      kind: "change",
      next: withRotation(record, { ...rotation, stackReportedAtMs: context.nowMs }),
      entry: entryOf(scene, "stack-reported", `the key is a resource of the stack ${stack}`),
    };
  }
  const untilMs = stackReportedAtMs + dayMs;
  if (context.nowMs >= untilMs) return undefined;
  const observations = `version ${old.number}, ${old.keyId}, is in the stack ${stack}, and keyturn will disable it`;
  const shown = ["describe-stack-resources", "--physical-resource-id", old.keyId];
  const next = commandLine("aws", "cloudformation", ...shown);
  const what = finding("KEY_IN_STACK", old.keyId, observations, next, context.nowMs);
  return {
    kind: "wait",
    untilMs,
    reason: "a stack has the key: keyturn waits a day",
    finding: what,
  };
}
