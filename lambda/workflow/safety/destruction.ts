/** What both destructive calls of revoke require: the same reads, evidence and checks. */
import { describeLastUse, guardrailEndsMs } from "./evidence.ts";
import { showPolicy } from "../model/commands.ts";
import { finding } from "../model/findings.ts";
import { isoOf } from "../model/iso.ts";
import { entryOf } from "./old-version.ts";
import { without, withRotation } from "../model/record.ts";
import { blockedUntilMs } from "./settle.ts";
import { valueOf } from "./observations.ts";
import type {
  Call,
  Decision,
  Evidence,
  LastUse,
  KmsRead,
  Rotation,
  Scene,
  ObservedState,
  StepScene,
  Version,
} from "../model/types.ts";

export function everythingOf(keyId: string): KmsRead[] {
  return [
    { kind: "key", key: keyId },
    { kind: "aliases", keyId },
    { kind: "last-use", keyId },
    { kind: "policy", keyId },
    { kind: "tags", keyId },
    { kind: "grants", keyId },
  ];
}

export function lastUseOf(observed: ObservedState, keyId: string): LastUse {
  const observation = valueOf(observed["last-use"][keyId]);
  return observation?.lastUse ?? { kind: "unknown", why: "no such key" };
}

/** The observed last use of the old version, as the record keeps it. */
export function evidenceOf({
  old,
  observed,
  context,
}: Pick<StepScene, "old" | "observed" | "context">): Evidence {
  const hash = valueOf(observed["last-use"][old.keyId])?.hash ?? "";
  return { observedAtMs: context.nowMs, lastUse: lastUseOf(observed, old.keyId), hash };
}

/** New evidence goes on record before a call depends on it. */
export function evidenceRead(scene: StepScene, lastUse: LastUse): Decision | undefined {
  const { record, rotation } = scene;
  const before = rotation.evidence?.lastUse;
  const now = describeLastUse(lastUse);
  if (before !== undefined && describeLastUse(before) === now) return undefined;
  const evidence = evidenceOf(scene);
  return {
    kind: "change",
    next: withRotation(record, { ...rotation, evidence }),
    entry: entryOf(scene, "evidence-read", "the last use has changed", {
      lastUse: now,
      evidence: evidence.hash,
    }),
  };
}

/** Forgets an unanswered call that can no longer land: a later external change is not ours. */
export function lapsed(scene: StepScene): Decision | undefined {
  const { record, rotation, context } = scene;
  if (rotation.unanswered === undefined) return undefined;
  if (blockedUntilMs(record.unsettled, context.epoch, true, context.nowMs) !== undefined) {
    return undefined;
  }
  const reason = `a ${rotation.unanswered} without an answer had no effect`;
  return {
    kind: "change",
    next: withRotation(record, without(rotation, "unanswered")),
    entry: entryOf(scene, "lapsed", reason),
  };
}

/** The wait while the key's own policy forbids the call, for days after a use. */
export function guardrail(
  { observed, context }: Scene,
  { keyId, createdAtMs }: Pick<Version, "keyId" | "createdAtMs">,
  lastUse: LastUse,
): Decision | undefined {
  const document = valueOf(observed.policy[keyId])?.document;
  if (document === undefined) {
    return { kind: "retry", reason: `the policy of ${keyId} could not be read` };
  }
  const endsMs = guardrailEndsMs(document, lastUse, createdAtMs);
  if (context.nowMs >= endsMs) return undefined;
  const reason = "kms:TrailingDaysWithoutKeyUsage in the key policy";
  const observedThen = `${reason} forbids the call until ${isoOf(endsMs)}`;
  const what = finding("GUARDRAIL", keyId, observedThen, showPolicy(keyId), context.nowMs);
  return { kind: "wait", untilMs: endsMs, reason, finding: what };
}

export function callOn(rotation: Rotation, call: Call, reason: string): Decision {
  return { kind: "call", call, matter: { kind: "rotation", rotationId: rotation.id }, reason };
}
