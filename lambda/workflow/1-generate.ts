/**
 * Step 1, generate: create the new version. CreateKey has no idempotency token. So the intent is on
 * record first, the key carries the rotation's tags, and after a CreateKey without a definite
 * answer keyturn searches for its key, and adopts it, before it makes another.
 */
import { copyOf } from "./enrolment/policy-copy.ts";
import { finding, type Finding } from "./model/findings.ts";
import { clockSkewMs, longestRunMs, recheckMs, requestLimitMs } from "./model/limits.ts";
import { sameAliases } from "./model/policy.ts";
import {
  rotationOf,
  unknownOf,
  withRotation,
  withRotationClosed,
  withVersion,
  without,
} from "./model/record.ts";
import { cancelled } from "./requests/rollback.ts";
import { mayStillLand } from "./safety/settle.ts";
import { sameShape } from "./model/shape.ts";
import { observeFirst, stillToObserve, valueOf } from "./safety/observations.ts";
import { tagNames } from "./model/tag-names.ts";
import type {
  Decision,
  Extra,
  Intent,
  Key,
  KeyPolicy,
  ManagedKey,
  Context,
  Rotation,
  ObservedState,
  StepScene,
  Tags,
  Transition,
  Version,
} from "./model/types.ts";

export function decideGenerate(scene: StepScene): Decision {
  const { record, rotation, context } = scene;
  const { unansweredEpoch } = rotation.intent;
  if (unansweredEpoch === undefined) return create(scene);
  const entry = record.unsettled.find(({ epoch }) => epoch === unansweredEpoch);
  if (entry !== undefined && mayStillLand(record.unsettled, unansweredEpoch, context.nowMs)) {
    const reason = "the key of an unanswered CreateKey may still appear";
    return { kind: "wait", untilMs: entry.untilMs, reason, ...manyMisses(rotation, context) };
  }
  return adopt(scene) ?? notFound(scene);
}

function create(scene: StepScene): Decision {
  const { record, rotation, old, observed, context } = scene;
  if (rotation.cancelledAtMs !== undefined) return neverMade(record, rotation);
  const late = lateAnswer(scene);
  if (late !== undefined) return late;
  const pause = pauseAfter(rotation, context);
  if (pause !== undefined) return pause;
  const first = observeFirst(scene, [{ kind: "policy", keyId: old.keyId }]);
  if (first !== undefined) return first;
  const policy = valueOf(observed.policy[old.keyId]);
  if (policy === undefined) {
    return { kind: "retry", reason: `the policy of ${old.keyId} could not be read` };
  }
  if (policy.hash !== rotation.intent.policyHash) return abandoned(record, rotation);
  const { shape, description, tags, attempts } = rotation.intent;
  return {
    kind: "call",
    call: {
      kind: "CreateKey",
      shape,
      description,
      policy: copyOf(policy.document, aliasesOnly(rotation)),
      tags: { ...tags, [tagNames.attempt]: String(attempts + 1) },
    },
    matter: { kind: "rotation", rotationId: rotation.id },
    reason: `version ${rotation.to} does not exist yet`,
  };
}

/** The only aliases through which the new version may originate, if the policy restricts them. */
function aliasesOnly({ policy, intent }: Rotation): string[] | undefined {
  return policy.originate === "alias-only" ? intent.aliases : undefined;
}

/** If a key of an abandoned attempt appears late, keyturn adopts it and makes no other. */
function lateAnswer(scene: StepScene): Decision | undefined {
  return scene.rotation.intent.attempts === 0 ? undefined : adopt(scene);
}

/** Rolled back before it had a key, and no earlier CreateKey can make one any more. */
function neverMade(record: ManagedKey, rotation: Rotation): Decision {
  return {
    kind: "change",
    next: withRotationClosed(record, rotation),
    entry: {
      event: "cancelled",
      reason: "rolled back before KMS created a key",
      rotationId: rotation.id,
      step: "generate",
      detail: { from: rotation.from, to: rotation.to },
    },
  };
}

/** Each CreateKey without an answer may leave a key: keyturn tries less and less often. */
function pauseAfter(rotation: Rotation, context: Context): Decision | undefined {
  const { misses, lastAttemptAtMs } = rotation.intent;
  if (lastAttemptAtMs === undefined || misses < 2) return undefined;
  const pauseMs = Math.min(recheckMs * 2 ** (misses - 2), 24 * recheckMs);
  const untilMs = lastAttemptAtMs + pauseMs;
  if (context.nowMs >= untilMs) return undefined;
  const reason = "CreateKey gave no answer";
  return { kind: "wait", untilMs, reason, ...manyMisses(rotation, context) };
}

function manyMisses({ id, to, intent }: Rotation, context: Context): { finding?: Finding } {
  if (intent.misses < 2) return {};
  const observed = `CreateKey for version ${to} gave no answer ${intent.misses} times; keyturn finds no key of these calls`;
  return { finding: finding("STUCK", id, observed, "aws kms list-keys", context.nowMs) };
}

/** The key policy changed since the intent was written: the rotation begins again. */
function abandoned(record: ManagedKey, rotation: Rotation): Decision {
  return {
    kind: "change",
    next: { ...record, rotations: record.rotations.filter(({ id }) => id !== rotation.id) },
    entry: {
      event: "abandoned",
      reason: "the key policy changed before KMS created a key",
      rotationId: rotation.id,
      step: "generate",
      detail: { policyHash: rotation.intent.policyHash },
    },
  };
}

/** Undefined where no key matches the intent. */
function adopt(scene: StepScene): Decision | undefined {
  const { record, rotation, observed, context } = scene;
  const search = observeFirst(scene, [{ kind: "successors", rotationId: rotation.id }]);
  if (search !== undefined) return search;
  const candidates = unknownOf(record, valueOf(observed.successors[rotation.id]) ?? []);
  for (const keyId of candidates) {
    const first = stillToObserve(observed, [
      { kind: "key", key: keyId },
      { kind: "tags", keyId },
      { kind: "policy", keyId },
    ]);
    if (first !== undefined) return first;
  }
  const fitting = candidates
    .flatMap((keyId) => madeInTime(rotation, observed, keyId) ?? [])
    .filter((made) => isMeant(rotation, made))
    .map(({ key }) => key)
    .sort(byAge);
  const [chosen, ...rest] = fitting;
  if (chosen === undefined) return undefined;
  const extras = rest.map(({ keyId }) => extraOf(rotation, keyId, context.nowMs));
  const { next, entry } = generated(record, rotation, chosen, context);
  if (rotation.cancelledAtMs !== undefined) {
    return {
      kind: "change",
      ...madeAndCancelled({ ...next, extras: [...next.extras, ...extras] }, rotation.id, context),
    };
  }
  return {
    kind: "change",
    next: { ...next, extras: [...next.extras, ...extras] },
    entry: {
      ...entry,
      event: "adopted",
      reason: "an unanswered CreateKey had created this key, which matches the rotation",
      detail: { ...entry.detail, candidates: candidates.length },
    },
  };
}

/** It has its key, and is retired at once: no alias ever pointed at it. */
export function madeAndCancelled(
  record: ManagedKey,
  rotationId: string,
  context: Context,
): Transition {
  return cancelled(record, rotationOf(record, rotationId), context);
}

function byAge(a: Key, b: Key): number {
  if (a.createdAtMs !== b.createdAtMs) return a.createdAtMs - b.createdAtMs;
  return a.keyId < b.keyId ? -1 : 1;
}

/** A key with the rotation's tags that keyturn can read, and that does not match its intent, is an excess key. */
function notFound({ record, rotation, observed, context }: StepScene): Decision {
  const candidates = valueOf(observed.successors[rotation.id]) ?? [];
  const extras = unknownOf(record, candidates)
    .filter((keyId) => madeInTime(rotation, observed, keyId) !== undefined)
    .map((keyId) => extraOf(rotation, keyId, context.nowMs));
  const next = withRotation(record, {
    ...rotation,
    intent: { ...answered(rotation.intent), misses: rotation.intent.misses + 1 },
  });
  return {
    kind: "change",
    next: { ...next, extras: [...record.extras, ...extras] },
    entry: {
      event: "not-found",
      reason: "an unanswered CreateKey created no key that can be found",
      rotationId: rotation.id,
      step: "generate",
      detail: { attempts: rotation.intent.attempts, candidates: candidates.length },
    },
  };
}

type Made = { key: Key; tags: Tags; policy: KeyPolicy };

/** What KMS shows of a key that is Enabled, and was created while a CreateKey of the rotation could take effect. */
function madeInTime(
  { intent }: Rotation,
  observed: ObservedState,
  keyId: string,
): Made | undefined {
  const key = valueOf(observed.key[keyId]);
  const tags = valueOf(observed.tags[keyId]);
  const policy = valueOf(observed.policy[keyId]);
  if (key?.state !== "Enabled" || tags === undefined || policy === undefined) return undefined;
  const { writtenAtMs, lastAttemptAtMs = Infinity } = intent;
  const latestMs = lastAttemptAtMs + longestRunMs + requestLimitMs + clockSkewMs;
  const isInTime = key.createdAtMs >= writtenAtMs - clockSkewMs && key.createdAtMs <= latestMs;
  return isInTime ? { key, tags, policy } : undefined;
}

/**
 * Whether an unanswered CreateKey of the rotation made this key: a principal that may tag can copy its tags, and does so
 * when it clones a key.
 */
function isMeant(rotation: Rotation, { key, tags, policy }: Made): boolean {
  const { intent } = rotation;
  const wanted = aliasesOnly(rotation) ?? [];
  return (
    sameShape(key, intent.shape) &&
    policy.hash === intent.policyHash &&
    sameAliases([...(policy.aliasOnly ?? [])].sort(), [...wanted].sort()) &&
    // Others may change a copied tag as soon as KMS has created the key.
    Object.values(tagNames).every((name) => tags[name] === (intent.tags[name] ?? tags[name]))
  );
}

/** A key that carries the rotation's tags and is not its new version. */
export function extraOf(
  { id, intent }: Pick<Rotation, "id" | "intent">,
  keyId: string,
  nowMs: number,
): Extra {
  return { keyId, rotationId: id, madeAfterMs: intent.writtenAtMs, foundAtMs: nowMs };
}

export function answered(intent: Intent): Intent {
  return without(intent, "unansweredEpoch");
}

/** The record once the new version has a key, and its journal line. */
export function generated(
  record: ManagedKey,
  rotation: Rotation,
  key: Pick<Key, "keyId" | "arn" | "createdAtMs">,
  context: Context,
): Transition {
  const version: Version = {
    number: rotation.to,
    keyId: key.keyId,
    arn: key.arn,
    shape: rotation.intent.shape,
    state: "pending-activation",
    createdAtMs: key.createdAtMs,
    policyHash: rotation.intent.policyHash,
    ...(aliasesOnly(rotation) === undefined ? {} : { aliasOnly: true }),
  };
  const moved: Rotation = {
    ...rotation,
    step: "distribute",
    stepSinceMs: context.nowMs,
    intent: answered(rotation.intent),
  };
  return {
    next: {
      ...withRotation(withVersion(record, version), moved),
      authorizationChangedAtMs: context.nowMs,
    },
    entry: {
      event: "generated",
      reason: "KMS created the key of the new version",
      rotationId: rotation.id,
      step: "generate",
      detail: { version: rotation.to, keyId: key.keyId, attempts: rotation.intent.attempts },
    },
  };
}
