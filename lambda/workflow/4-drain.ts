/**
 * Step 4, drain: the old version only processes now, and has to be proved quiet. Unknown is not
 * quiet, and the key is never probed: a probe is a use.
 */
import { aliasesInTheWay, ownerFinding, stateFinding } from "./old-version.ts";
import { lastUseOf } from "./destruction.ts";
import { describeLastUse, judge } from "./evidence.ts";
import { finding, type Finding } from "./findings.ts";
import { consistencyMs, dayMs, recheckMs } from "./limits.ts";
import { versionOf, withRotation, withRotationClosed, withVersion, without } from "./record.ts";
import { blockedUntilMs } from "./settle.ts";
import { lookFirst, valueOf } from "./sights.ts";
import { tagNames } from "./tag-names.ts";
import type {
  Decision,
  Evidence,
  LastUse,
  ManagedKey,
  Restored,
  Rotation,
  StepScene,
  Transition,
  Version,
} from "./types.ts";

export function decideDrain(scene: StepScene): Decision {
  const { rotation, old, moment } = scene;
  if (rotation.restored !== undefined) return restored(scene, rotation.restored);
  if (rotation.labelledAtMs === undefined) return label(scene);
  const agedAtMs = drainSinceMs(scene) + rotation.policy.drain.atLeastMs;
  if (moment.nowMs < agedAtMs) {
    return { kind: "wait", untilMs: agedAtMs, reason: "the minimum time in drain" };
  }
  const first = lookFirst(scene, [
    { kind: "key", key: old.keyId },
    { kind: "aliases", keyId: old.keyId },
    { kind: "last-use", keyId: old.keyId },
  ]);
  if (first !== undefined) return first;
  const wrong = stateFinding(scene, ["Enabled"]) ?? aliasesInTheWay(scene);
  if (wrong !== undefined) return { kind: "halt", finding: wrong };
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
  const wrong = stateFinding(scene, ["Enabled"]) ?? ownerFinding(scene, old);
  if (wrong !== undefined) return { kind: "halt", finding: wrong };
  return {
    kind: "call",
    call: { kind: "TagResource", keyId: old.keyId, tags: { [tagNames.retired]: rotation.id } },
    matter: { kind: "rotation", rotationId: rotation.id },
    reason: `version ${old.number} no longer originates`,
  };
}

export function labelled(record: ManagedKey, rotation: Rotation, nowMs: number): Transition {
  const next = withRotation(record, { ...rotation, labelledAtMs: nowMs });
  return {
    next: { ...next, authorizationChangedAtMs: nowMs },
    entry: {
      event: "labelled",
      reason: "the old version carries the label of a retired key",
      rotationId: rotation.id,
      step: "drain",
      detail: { version: rotation.from, keyId: versionOf(record, rotation.from).keyId },
    },
  };
}

function judged(scene: StepScene): Decision {
  const { record, rotation, old, seen, moment } = scene;
  const lastUse = lastUseOf(seen, old.keyId);
  const evidence: Evidence = { lookedAtMs: moment.nowMs, lastUse };
  if (rotation.policy.retire === "retain") return retained(scene, evidence);
  const block = notQuiet(scene, lastUse);
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
      detail: { version: old.number, keyId: old.keyId, lastUse: describeLastUse(lastUse) },
    },
  };
}

/** The wait that evidence short of quiet amounts to; undefined where the version is quiet. */
export function notQuiet(scene: StepScene, lastUse: LastUse): Decision | undefined {
  const { rotation, old, moment } = scene;
  const verdict = judge(lastUse, retiredAtMs(old), rotation.policy, moment.nowMs);
  const show = `aws kms get-key-last-usage --key-id ${old.keyId}`;
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
      const sights = `version ${old.number}: ${describeLastUse(lastUse)}, after it was retired`;
      const code = "ORIGINATED_AFTER_ACTIVATION";
      return blocked("it still originates", finding(code, old.keyId, sights, show, moment.nowMs));
    }
    case "in-use": {
      const untilMs = Math.max(verdict.quietAtMs, moment.nowMs + recheckMs);
      return {
        kind: "wait",
        untilMs,
        reason: `not quiet for long enough: ${describeLastUse(lastUse)}`,
        ...prolonged(scene, lastUse, show),
      };
    }
  }
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

/**
 * A version that we enabled again drains anew. An earlier call could still disable it, so it is
 * looked at once more when nothing can land any longer.
 */
function restored(scene: StepScene, { atMs, because }: Restored): Decision {
  const { record, rotation, old, seen, moment } = scene;
  const first = lookFirst(scene, [
    { kind: "key", key: old.keyId },
    { kind: "aliases", keyId: old.keyId },
  ]);
  if (first !== undefined) return first;
  if (valueOf(seen.key[old.keyId])?.state === "Disabled") {
    if (moment.nowMs < atMs + consistencyMs) {
      return { kind: "retry", reason: "it was enabled again, and reads do not show it yet" };
    }
    return {
      kind: "call",
      call: { kind: "EnableKey", keyId: old.keyId, because },
      matter: { kind: "rotation", rotationId: rotation.id },
      reason: `version ${old.number} was to be enabled again, and reads Disabled`,
    };
  }
  const wrong = stateFinding(scene, ["Enabled"]) ?? aliasesInTheWay(scene);
  if (wrong !== undefined) return { kind: "halt", finding: wrong };
  const untilMs = blockedUntilMs(record.unsettled, moment.epoch, true, moment.nowMs);
  if (untilMs !== undefined) {
    return { kind: "wait", untilMs, reason: "an earlier call could still disable it" };
  }
  const { nowMs } = moment;
  const anew = without(
    rotation,
    "restored",
    "evidence",
    "soakSinceMs",
    "lateUseReadAtMs",
    "unanswered",
  );
  // While an alias was on it, it originated by right: what it did until now is not held against it.
  const draining =
    because === "alias" ? withVersion(record, { ...old, retiredAtMs: nowMs }) : record;
  return {
    kind: "change",
    next: withRotation(draining, { ...anew, stepSinceMs: nowMs, drainSinceMs: nowMs }),
    entry: {
      event: "drain-restarted",
      reason: "the version reads Enabled, no alias is on it, and nothing can land any longer",
      rotationId: rotation.id,
      step: "drain",
      detail: { version: old.number, keyId: old.keyId },
    },
  };
}
