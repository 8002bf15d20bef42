/** Whether a retiring version is quiet: before the end of drain, and before every later call. */
import { showLastUse } from "../model/commands.ts";
import { finding, type Finding } from "../model/findings.ts";
import { dayMs, recheckMs } from "../model/limits.ts";
import type { Decision, Evidence, LastUse, StepScene, Version } from "../model/types.ts";
import { describeLastUse, judge, judgeQuiet } from "../safety/evidence.ts";
import { allNeeds, isApproved, listed } from "../safety/needs.ts";
import { observeFirst } from "../safety/observations.ts";
import { approveCommand } from "../requests/approval.ts";

export function retiredAtMs(old: Version): number {
  if (old.retiredAtMs === undefined) throw new Error(`version ${old.number} was never retired`);
  return old.retiredAtMs;
}

export function drainSinceMs({ rotation, old }: StepScene): number {
  return rotation.drainSinceMs ?? retiredAtMs(old);
}

/** The wait while the evidence does not prove quiet; undefined where the version is quiet. */
export function notQuiet(scene: StepScene, evidence: Evidence): Decision | undefined {
  const { record, rotation, old, context } = scene;
  const { lastUse, hash } = evidence;
  const approved = isApproved(rotation, evidence, "disable");
  if (approved && rotation.approval?.override === true) return undefined;
  const verdict = judge(lastUse, retiredAtMs(old), rotation.policy, context.nowMs);
  const show = showLastUse(old.keyId);
  const blocked = (reason: string, what: Finding): Decision => ({
    kind: "wait",
    untilMs: context.nowMs + recheckMs * 6,
    reason,
    finding: what,
  });
  switch (verdict.kind) {
    case "quiet":
      return undefined;
    case "unknown": {
      if (rotation.policy.drain.evidence === "advisory") return undefined;
      const what = finding("USAGE_UNKNOWN", old.keyId, verdict.why, show, context.nowMs);
      return blocked("the last use is unknown", what);
    }
    case "originated": {
      if (approved) return stillInUse(scene, lastUse, show);
      const first = observeFirst(scene, [{ kind: "grants", keyId: old.keyId }]);
      if (first !== undefined) return first;
      const needs = allNeeds(scene, old, rotation, "disable");
      const observations = `version ${old.number} was used after its retirement: ${describeLastUse(lastUse)}${listed(needs)}; evidence ${hash}`;
      const code = "ORIGINATED_AFTER_ACTIVATION";
      const next = approveCommand(record.alias, old, evidence, needs, "disable");
      return blocked(
        "the old version still originates",
        finding(code, old.keyId, observations, next, context.nowMs),
      );
    }
    case "in-use":
      return stillInUse(scene, lastUse, show);
  }
}

/** Approved origination does not shorten the quiet period. */
function stillInUse(scene: StepScene, lastUse: LastUse, show: string): Decision | undefined {
  const { rotation, context } = scene;
  if (lastUse.kind === "unknown") return undefined;
  const verdict = judgeQuiet(lastUse, rotation.policy, context.nowMs);
  if (verdict.kind === "quiet") return undefined;
  return {
    kind: "wait",
    untilMs: Math.max(verdict.quietAtMs, context.nowMs + recheckMs),
    reason: `not unused for long enough: ${describeLastUse(lastUse)}`,
    ...prolonged(scene, lastUse, show),
  };
}

function prolonged(scene: StepScene, lastUse: LastUse, show: string): { finding?: Finding } {
  const { rotation, old, context } = scene;
  const { atLeastMs, quietForMs } = rotation.policy.drain;
  const inDrainMs = context.nowMs - drainSinceMs(scene);
  if (inDrainMs < 2 * (atLeastMs + quietForMs)) return {};
  const days = Math.floor(inDrainMs / dayMs);
  const observations = `version ${old.number} has drained for ${days} days: last use ${describeLastUse(lastUse)}`;
  return { finding: finding("DRAIN_PROLONGED", old.keyId, observations, show, context.nowMs) };
}
