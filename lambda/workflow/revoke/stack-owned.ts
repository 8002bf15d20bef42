/**
 * A key that CloudFormation made stays a resource of its stack when keyturn disables it, and the
 * stack does not notice. While its deletion is pending, each update of the stack fails. So a finding
 * informs the stack's operators before each of the two calls.
 */
import { commandLine } from "../model/commands.ts";
import { finding } from "../model/findings.ts";
import { dayMs } from "../model/limits.ts";
import { entryOf } from "../safety/old-version.ts";
import { withRotation } from "../model/record.ts";
import { stackOf } from "../safety/version-tags.ts";
import type { Decision, Destructive, StepScene } from "../model/types.ts";

/** Undefined where no stack has the key, or its operators had a day to object to this call. */
export function reportedOfStack(scene: StepScene, call: Destructive): Decision | undefined {
  const { record, rotation, old, context } = scene;
  const stack = stackOf(scene);
  if (stack === undefined) return undefined;
  const { stackReportedAtMs = 0 } = rotation;
  if (stackReportedAtMs <= (old.disabledAtMs ?? 0)) {
    return {
      kind: "change",
      next: withRotation(record, { ...rotation, stackReportedAtMs: context.nowMs }),
      entry: entryOf(scene, "stack-reported", `the key is a resource of the stack ${stack}`),
    };
  }
  const untilMs = stackReportedAtMs + dayMs;
  if (context.nowMs >= untilMs) return undefined;
  const observations = `version ${old.number}, ${old.keyId}, is in the stack ${stack}, and keyturn will ${call} it`;
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
