/**
 * Step 4, drain: the old version only processes now, and has to be proved quiet. Unknown is not
 * quiet, and the key is never probed: a probe is a use.
 */
import { isApproved } from "./requests/approval.ts";
import { aliasInTheWay, ownerFinding, stateFinding } from "./safety/old-version.ts";
import { showLastUse } from "./model/commands.ts";
import { drifted, waitObserving } from "./drift/drift.ts";
import { evidenceOf } from "./safety/destruction.ts";
import { describeLastUse, judge, judgeQuiet } from "./safety/evidence.ts";
import { finding, type Finding } from "./model/findings.ts";
import { requestCommand } from "./model/request-command.ts";
import { decideRestored } from "./restore/restore.ts";
import { dayMs, recheckMs } from "./model/limits.ts";
import { labelAs } from "./safety/label.ts";
import { wrongLabel } from "./safety/lineage.ts";
import { withRotation, withRotationClosed, withVersion } from "./model/record.ts";
import { lookFirst } from "./safety/sights.ts";
import type { Decision, Evidence, LastUse, Rotation, StepScene, Version } from "./model/types.ts";

export function decideDrain(scene: StepScene): Decision {
  const { rotation, old, moment } = scene;
  if (rotation.restored !== undefined) return decideRestored(scene, rotation.restored);
  if (rotation.labelledAtMs === undefined) return label(scene);
  const agedAtMs = drainSinceMs(scene) + rotation.policy.drain.atLeastMs;
  if (moment.nowMs < agedAtMs) {
    return waitObserving(scene, "Enabled", agedAtMs, "the minimum time in drain");
  }
  const first = lookFirst(scene, [
    { kind: "key", key: old.keyId },
    { kind: "aliases", keyId: old.keyId },
    { kind: "last-use", keyId: old.keyId },
  ]);
  if (first !== undefined) return first;
  const wrong = drifted(scene, "Enabled") ?? aliasInTheWay(scene);
  if (wrong !== undefined) return wrong;
  return judged(scene);
}

export function retiredAtMs(old: Version): number {
  if (old.retiredAtMs === undefined) throw new Error(`version ${old.number} was never retired`);
  return old.retiredAtMs;
}

function drainSinceMs({ rotation, old }: StepScene): number {
  return rotation.drainSinceMs ?? retiredAtMs(old);
}

/** The label is for IAM policies and SCPs, ours among them; it says that originating has ended. */
function label(scene: StepScene): Decision {
  const { rotation, old } = scene;
  const first = lookFirst(scene, [
    { kind: "key", key: old.keyId },
    { kind: "tags", keyId: old.keyId },
  ]);
  if (first !== undefined) return first;
  const wrong = stateFinding(scene, "Enabled") ?? ownerFinding(scene, old);
  if (wrong !== undefined) return { kind: "halt", finding: wrong };
  const mislabelled = wrongLabel(scene, old);
  if (mislabelled !== undefined) return mislabelled;
  const { episode } = rotation;
  return labelAs(scene, episode, `version ${old.number} no longer originates`);
}

function judged(scene: StepScene): Decision {
  const { record, rotation, old, moment } = scene;
  const evidence = evidenceOf(scene);
  const { lastUse } = evidence;
  if (rotation.policy.retire === "retain") return retained(scene, evidence);
  const block = notQuiet(scene, evidence);
  if (block !== undefined) return block;
  const moved: Rotation = { ...rotation, step: "revoke", stepSinceMs: moment.nowMs, evidence };
  return {
    kind: "change",
    next: withRotation(record, moved),
    entry: {
      event: "drained",
      reason: "no alias on it, and quiet for as long as the policy asks",
      rotationId: rotation.id,
      step: "drain",
      detail: {
        version: old.number,
        keyId: old.keyId,
        lastUse: describeLastUse(lastUse),
        evidence: evidence.hash,
      },
    },
  };
}

/** The wait that evidence short of quiet amounts to; undefined where the version is quiet. */
export function notQuiet(scene: StepScene, evidence: Evidence): Decision | undefined {
  const { record, rotation, old, moment } = scene;
  const { lastUse, hash } = evidence;
  const approved = isApproved(rotation, evidence);
  if (approved && rotation.approval?.override === true) return undefined;
  const verdict = judge(lastUse, retiredAtMs(old), rotation.policy, moment.nowMs);
  const show = showLastUse(old.keyId);
  const blocked = (reason: string, what: Finding): Decision => ({
    kind: "wait",
    untilMs: moment.nowMs + recheckMs * 6,
    reason,
    finding: what,
  });
  switch (verdict.kind) {
    case "quiet":
      return undefined;
    case "unknown": {
      if (rotation.policy.drain.evidence === "advisory") return undefined;
      const what = finding("USAGE_UNKNOWN", old.keyId, verdict.why, show, moment.nowMs);
      return blocked("unknown is not quiet", what);
    }
    case "originated": {
      if (approved) return stillInUse(scene, lastUse, show);
      const sights = `version ${old.number}: ${describeLastUse(lastUse)}, after it was retired; evidence ${hash}`;
      const code = "ORIGINATED_AFTER_ACTIVATION";
      const next = requestCommand(record.alias, "approve", { version: old.number, evidence: hash });
      return blocked("it still originates", finding(code, old.keyId, sights, next, moment.nowMs));
    }
    case "in-use":
      return stillInUse(scene, lastUse, show);
  }
}

/** An approval of what originated leaves the quiet period as it is. */
function stillInUse(scene: StepScene, lastUse: LastUse, show: string): Decision | undefined {
  const { rotation, moment } = scene;
  if (lastUse.kind === "unknown") return undefined;
  const verdict = judgeQuiet(lastUse, rotation.policy, moment.nowMs);
  if (verdict.kind === "quiet") return undefined;
  return {
    kind: "wait",
    untilMs: Math.max(verdict.quietAtMs, moment.nowMs + recheckMs),
    reason: `not quiet for long enough: ${describeLastUse(lastUse)}`,
    ...prolonged(scene, lastUse, show),
  };
}

function prolonged(scene: StepScene, lastUse: LastUse, show: string): { finding?: Finding } {
  const { rotation, old, moment } = scene;
  const { atLeastMs, quietForMs } = rotation.policy.drain;
  const inDrainMs = moment.nowMs - drainSinceMs(scene);
  if (inDrainMs < 2 * (atLeastMs + quietForMs)) return {};
  const days = Math.floor(inDrainMs / dayMs);
  const sights = `version ${old.number} is ${days} days in drain: ${describeLastUse(lastUse)}`;
  return { finding: finding("DRAIN_PROLONGED", old.keyId, sights, show, moment.nowMs) };
}

/** The policy keeps old versions for ever: nothing is destroyed, so nothing waits for quiet. */
function retained({ record, rotation, old }: StepScene, evidence: Evidence): Decision {
  const closed = withVersion(record, { ...old, standing: "retained" });
  return {
    kind: "change",
    next: withRotationClosed(closed, { ...rotation, evidence }),
    entry: {
      event: "completed",
      reason: "the policy retains old versions",
      rotationId: rotation.id,
      step: "drain",
      detail: {
        version: old.number,
        keyId: old.keyId,
        lastUse: describeLastUse(evidence.lastUse),
      },
    },
  };
}
