/**
 * Step 5, revoke: disable, look for aliases at once and again, soak, and only then, where the policy
 * says so, schedule the deletion. The evidence is read again before each of the two.
 */
import { notQuiet } from "./4-drain.ts";
import { describeLastUse, guardrailEndsMs, usedSince } from "./evidence.ts";
import { awaitDeletion, scheduled } from "./deletion.ts";
import { finding } from "./findings.ts";
import { isoOf } from "./iso.ts";
import { consistencyMs, recheckMs } from "./limits.ts";
import { aliasesInTheWay, entryOf, stateFinding } from "./old-version.ts";
import { versionOf, withRotation, withRotationClosed, withVersion } from "./record.ts";
import { lookFirst, valueOf } from "./sights.ts";
import type {
  Call,
  Decision,
  EntryDraft,
  LastUse,
  Look,
  ManagedKey,
  Moment,
  Rotation,
  Seen,
  Version,
} from "./types.ts";

export function decideRevoke(
  record: ManagedKey,
  rotation: Rotation,
  seen: Seen,
  moment: Moment,
): Decision {
  const old = versionOf(record, rotation.from);
  switch (old.standing) {
    case "draining":
      return rotation.policy.retire === "retain"
        ? backToDrain(record, rotation, old, moment)
        : disable(record, rotation, old, seen, moment);
    case "disabled":
      return rotation.soakSinceMs === undefined
        ? lookForAliases(record, rotation, old, seen, moment)
        : soak(record, rotation, old, seen, moment);
    case "deletion-scheduled":
      return awaitDeletion(record, rotation, old, seen, moment);
    case "created":
    case "serving":
    case "retained":
      throw new Error(`version ${old.number} is ${old.standing}, and not to be revoked`);
  }
}

/** The policy became milder before anything was done: drain ends in retaining the version. */
function backToDrain(
  record: ManagedKey,
  rotation: Rotation,
  old: Version,
  moment: Moment,
): Decision {
  const back: Rotation = { ...rotation, step: "drain", stepSinceMs: moment.nowMs };
  return {
    kind: "change",
    next: withRotation(record, back),
    entry: entryOf(rotation, old, "not-revoked", "the policy now retains old versions"),
  };
}

function everythingOf(keyId: string): Look[] {
  return [
    { kind: "key", key: keyId },
    { kind: "aliases", keyId },
    { kind: "last-use", keyId },
    { kind: "policy", keyId },
  ];
}

function disable(
  record: ManagedKey,
  rotation: Rotation,
  old: Version,
  seen: Seen,
  moment: Moment,
): Decision {
  const first = lookFirst(record, seen, moment, everythingOf(old.keyId));
  if (first !== undefined) return first;
  const key = valueOf(seen.key[old.keyId]);
  const byHand = rotation.policy.approval === "revoke";
  if (key?.state === "Disabled" && (byHand || rotation.tried === "DisableKey")) {
    return { kind: "change", ...disabled(record, rotation, moment.nowMs) };
  }
  const wrong =
    stateFinding(old, key, ["Enabled"], moment) ??
    aliasesInTheWay(rotation, old, valueOf(seen.aliases[old.keyId]), moment);
  if (wrong !== undefined) return { kind: "halt", finding: wrong };
  const lastUse = lastUseOf(seen, old);
  const blocked = notQuiet(rotation, old, lastUse, moment) ?? guardrail(old, seen, lastUse, moment);
  if (blocked !== undefined) return blocked;
  if (byHand) return approvalRequired(rotation, old, lastUse, moment);
  return (
    evidenceRead(record, rotation, old, lastUse, moment) ??
    callOn(rotation, { kind: "DisableKey", keyId: old.keyId }, "the drain is proved")
  );
}

/** The record once the old version is disabled. */
export function disabled(
  record: ManagedKey,
  rotation: Rotation,
  nowMs: number,
): { next: ManagedKey; entry: EntryDraft } {
  const old = versionOf(record, rotation.from);
  const next = withVersion(record, { ...old, standing: "disabled", disabledAtMs: nowMs });
  return {
    next: withRotation(next, { ...rotation, stepSinceMs: nowMs }),
    entry: entryOf(rotation, old, "disabled", "the drain is proved, and was read again", {
      lastUse: rotation.evidence === undefined ? "" : describeLastUse(rotation.evidence.lastUse),
    }),
  };
}

/** An UpdateAlias of somebody else may have crossed ours: at once, and when all reads agree. */
function lookForAliases(
  record: ManagedKey,
  rotation: Rotation,
  old: Version,
  seen: Seen,
  moment: Moment,
): Decision {
  const first = lookFirst(record, seen, moment, [{ kind: "aliases", keyId: old.keyId }]);
  if (first !== undefined) return first;
  const inTheWay = aliasesInTheWay(rotation, old, valueOf(seen.aliases[old.keyId]), moment);
  if (inTheWay !== undefined) return enable(rotation, old, inTheWay.seen);
  const againAtMs = (old.disabledAtMs ?? moment.nowMs) + consistencyMs;
  if (moment.nowMs < againAtMs) {
    return { kind: "wait", untilMs: againAtMs, reason: "to look for aliases once more" };
  }
  return {
    kind: "change",
    next: withRotation(record, { ...rotation, soakSinceMs: moment.nowMs }),
    entry: entryOf(rotation, old, "soaking", "no alias is on it, also after the reads settled"),
  };
}

function soak(
  record: ManagedKey,
  rotation: Rotation,
  old: Version,
  seen: Seen,
  moment: Moment,
): Decision {
  const endsMs = (rotation.soakSinceMs ?? moment.nowMs) + rotation.policy.soakMs;
  if (moment.nowMs < endsMs) return { kind: "wait", untilMs: endsMs, reason: "the soak" };
  const first = lookFirst(record, seen, moment, everythingOf(old.keyId));
  if (first !== undefined) return first;
  const key = valueOf(seen.key[old.keyId]);
  if (key?.state === "PendingDeletion" && rotation.tried === "ScheduleKeyDeletion") {
    return { kind: "change", ...scheduled(record, rotation, key.deletionAtMs, moment.nowMs) };
  }
  const changed = stateFinding(old, key, ["Disabled"], moment);
  if (changed !== undefined) return { kind: "halt", finding: changed };
  const inTheWay = aliasesInTheWay(rotation, old, valueOf(seen.aliases[old.keyId]), moment);
  if (inTheWay !== undefined) return enable(rotation, old, inTheWay.seen);
  const lastUse = lastUseOf(seen, old);
  if (usedSince(rotation.evidence, lastUse)) {
    return enable(
      rotation,
      old,
      `it was in use until it was disabled: ${describeLastUse(lastUse)}`,
    );
  }
  if (rotation.policy.retire !== "delete") return completed(record, rotation, old, seen, moment);
  const blocked = notQuiet(rotation, old, lastUse, moment) ?? guardrail(old, seen, lastUse, moment);
  if (blocked !== undefined) return blocked;
  const windowDays = rotation.policy.deletionWindowDays;
  const call: Call = { kind: "ScheduleKeyDeletion", keyId: old.keyId, windowDays };
  return (
    evidenceRead(record, rotation, old, lastUse, moment) ??
    callOn(rotation, call, "the soak is over, and nobody asked for it")
  );
}

/** Evidence that says something new is put on record before anything rests on it. */
function evidenceRead(
  record: ManagedKey,
  rotation: Rotation,
  old: Version,
  lastUse: LastUse,
  moment: Moment,
): Decision | undefined {
  const before = rotation.evidence?.lastUse;
  const now = describeLastUse(lastUse);
  if (before !== undefined && describeLastUse(before) === now) return undefined;
  const evidence = { lookedAtMs: moment.nowMs, lastUse };
  return {
    kind: "change",
    next: withRotation(record, { ...rotation, evidence }),
    entry: entryOf(rotation, old, "evidence-read", "the last use is not what it was", {
      lastUse: now,
    }),
  };
}

function completed(
  record: ManagedKey,
  rotation: Rotation,
  old: Version,
  seen: Seen,
  moment: Moment,
): Decision {
  const evidence = { lookedAtMs: moment.nowMs, lastUse: lastUseOf(seen, old) };
  return {
    kind: "change",
    next: withRotationClosed(record, { ...rotation, evidence }),
    entry: entryOf(rotation, old, "completed", "the policy leaves old versions disabled"),
  };
}

function enable(rotation: Rotation, old: Version, why: string): Decision {
  return callOn(rotation, { kind: "EnableKey", keyId: old.keyId }, why);
}

/** The record once a version that turned out to be needed is enabled again: back into drain. */
export function enabledAgain(
  record: ManagedKey,
  rotation: Rotation,
  reason: string,
  nowMs: number,
): { next: ManagedKey; entry: EntryDraft } {
  const old = versionOf(record, rotation.from);
  const { disabledAtMs: _, ...rest } = old;
  const next = withVersion(record, { ...rest, standing: "draining" });
  const back: Rotation = { ...rotation, step: "drain", stepSinceMs: nowMs, restoredAtMs: nowMs };
  return {
    next: withRotation(next, back),
    entry: entryOf(rotation, old, "enabled-again", reason),
  };
}

/** Until there are requests, the person who approves disables the key; keyturn goes on from there. */
function approvalRequired(
  rotation: Rotation,
  old: Version,
  lastUse: LastUse,
  moment: Moment,
): Decision {
  const seen = `version ${old.number}, ${old.keyId}, is drained; last use ${describeLastUse(lastUse)}`;
  const next = `aws kms disable-key --key-id ${old.keyId}`;
  const what = finding("APPROVAL_REQUIRED", old.keyId, seen, next, moment.nowMs);
  const untilMs = moment.nowMs + recheckMs;
  return { kind: "wait", untilMs, reason: "a person's approval", finding: what };
}

/** The key's own policy may forbid this for days after a use: waited for, never fought. */
export function guardrail(
  old: Pick<Version, "keyId" | "createdAtMs">,
  seen: Seen,
  lastUse: LastUse,
  moment: Moment,
): Decision | undefined {
  const document = valueOf(seen.policy[old.keyId])?.document ?? "";
  const endsMs = guardrailEndsMs(document, lastUse, old.createdAtMs);
  if (moment.nowMs >= endsMs) return undefined;
  const reason = "kms:TrailingDaysWithoutKeyUsage in the key policy";
  const seenThen = `${reason} forbids it until ${isoOf(endsMs)}`;
  const next = `aws kms get-key-policy --key-id ${old.keyId} --policy-name default --output text`;
  const what = finding("GUARDRAIL", old.keyId, seenThen, next, moment.nowMs);
  return { kind: "wait", untilMs: endsMs, reason, finding: what };
}

function lastUseOf(seen: Seen, old: Version): LastUse {
  return valueOf(seen["last-use"][old.keyId]) ?? { kind: "unknown", why: "no such key" };
}

function callOn(rotation: Rotation, call: Call, reason: string): Decision {
  return { kind: "call", call, matter: { kind: "rotation", rotationId: rotation.id }, reason };
}
