/**
 * A key that CloudFormation made is a resource of its stack also when keyturn has put it out of use: the
 * stack does not notice, and whoever looks after it should hear of it before. CloudFormation tags what it
 * makes (user guide, aws-properties-resource-tags).
 */
import { commandLine } from "../model/commands.ts";
import { finding } from "../model/findings.ts";
import { dayMs } from "../model/limits.ts";
import { entryOf } from "../safety/old-version.ts";
import { withRotation } from "../model/record.ts";
import { valueOf } from "../safety/sights.ts";
import type { Decision, StepScene } from "../model/types.ts";

const stackTag = "aws:cloudformation:stack-name";

/** Undefined where no stack has the key, or its people have had a day to object. */
export function toldOfStack(scene: StepScene): Decision | undefined {
  const { record, rotation, old, seen, moment } = scene;
  const stack = valueOf(seen.tags[old.keyId])?.[stackTag];
  if (stack === undefined) return undefined;
  const { stackToldAtMs } = rotation;
  if (stackToldAtMs === undefined) {
    return {
      kind: "change",
      next: withRotation(record, { ...rotation, stackToldAtMs: moment.nowMs }),
      entry: entryOf(scene, "stack-told", `the key is a resource of the stack ${stack}`),
    };
  }
  const untilMs = stackToldAtMs + dayMs;
  if (moment.nowMs >= untilMs) return undefined;
  const sights = `version ${old.number}, ${old.keyId}, of the stack ${stack}, is about to be disabled`;
  const shown = ["describe-stack-resources", "--physical-resource-id", old.keyId];
  const next = commandLine("aws", "cloudformation", ...shown);
  const what = finding("KEY_IN_STACK", old.keyId, sights, next, moment.nowMs);
  return {
    kind: "wait",
    untilMs,
    reason: "a stack has the key: its people hear first",
    finding: what,
  };
}
