/**
 * Step 4, drain: the old version only processes, and must be proved quiet. Unknown is not quiet,
 * and keyturn never probes the key: a probe is a use.
 */
import { waitNames } from "./model/wait-names.ts";
import { aliasInTheWay, ownerFinding, stateFinding } from "./safety/old-version.ts";
import { drifted, waitObserving } from "./drift/drift.ts";
import { evidenceOf } from "./safety/destruction.ts";
import { describeLastUse } from "./safety/evidence.ts";
import { decideRestored } from "./restore/restore.ts";
import { reportHolders } from "./revoke/held.ts";
import { drainSinceMs, notQuiet } from "./revoke/quiet.ts";
import { labelAs } from "./safety/label.ts";
import { wrongLabel } from "./safety/lineage.ts";
import { withRotation, withRotationClosed, withVersion } from "./model/record.ts";
import { observeFirst } from "./safety/observations.ts";
import type { Decision, Evidence, Rotation, StepScene } from "./model/types.ts";

export function decideDrain(scene: StepScene): Decision {
  const { rotation, old, context } = scene;
  if (rotation.restored !== undefined) return decideRestored(scene, rotation.restored);
  if (rotation.labelledAtMs === undefined) return label(scene);
  const agedAtMs = drainSinceMs(scene) + rotation.policy.drain.atLeastMs;
  if (context.nowMs < agedAtMs) {
    const wait = waitObserving(scene, "Enabled", agedAtMs, waitNames.drain);
    return reportHolders(scene, wait);
  }
  const first = observeFirst(scene, [
    { kind: "key", key: old.keyId },
    { kind: "aliases", keyId: old.keyId },
    { kind: "last-use", keyId: old.keyId },
  ]);
  if (first !== undefined) return first;
  const wrong = drifted(scene, "Enabled") ?? aliasInTheWay(scene);
  if (wrong !== undefined) return wrong;
  return judged(scene);
}

/** The label shows IAM policies and SCPs, ours included, that originating has ended. */
function label(scene: StepScene): Decision {
  const { rotation, old } = scene;
  const first = observeFirst(scene, [
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
  const { record, rotation, old, context } = scene;
  const evidence = evidenceOf(scene);
  const { lastUse } = evidence;
  if (rotation.policy.retire === "retain") return retained(scene, evidence);
  const block = notQuiet(scene, evidence);
  if (block !== undefined) return reportHolders(scene, block);
  const moved: Rotation = { ...rotation, step: "revoke", stepSinceMs: context.nowMs, evidence };
  return {
    kind: "change",
    next: withRotation(record, moved),
    entry: {
      event: "drained",
      reason: "no alias; unused long enough",
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

/** The policy retains old versions: nothing is destroyed, so nothing waits for quiet. */
function retained({ record, rotation, old }: StepScene, evidence: Evidence): Decision {
  const closed = withVersion(record, { ...old, state: "retained" });
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
