/** After DisableKey: the looks for aliases, and the soak in which a key that is needed comes back. */
import { notQuiet } from "./4-drain.ts";
import { scheduled } from "./deletion.ts";
import {
  callOn,
  enable,
  everythingOf,
  evidenceRead,
  guardrail,
  lapsed,
  lastUseOf,
} from "./destruction.ts";
import { describeLastUse, usedSince } from "./evidence.ts";
import { consistencyMs, lastUseLagMs } from "./limits.ts";
import { aliasesInTheWay, entryOf, ownerFinding, stateFinding } from "./old-version.ts";
import { versionOf, without, withRotation, withRotationClosed, withVersion } from "./record.ts";
import { lookFirst, valueOf } from "./sights.ts";
import type {
  Call,
  Decision,
  EntryDraft,
  LastUse,
  ManagedKey,
  Moment,
  Restored,
  Rotation,
  Seen,
  Version,
} from "./types.ts";

/** An UpdateAlias of somebody else may have crossed ours: at once, and when all reads agree. */
export function lookForAliases(
  record: ManagedKey,
  rotation: Rotation,
  old: Version,
  seen: Seen,
  moment: Moment,
): Decision {
  const first = lookFirst(record, seen, moment, [{ kind: "aliases", keyId: old.keyId }]);
  if (first !== undefined) return first;
  const enabling = enabledByOurs(record, rotation, old, seen, moment);
  if (enabling !== undefined) return enabling;
  const inTheWay = aliasesInTheWay(rotation, old, valueOf(seen.aliases[old.keyId]), moment);
  if (inTheWay !== undefined) return enable(old, rotation, "alias", inTheWay.seen);
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

/** An EnableKey of ours whose answer was lost: the key reads Enabled, and is drained anew. */
function enabledByOurs(
  record: ManagedKey,
  rotation: Rotation,
  old: Version,
  seen: Seen,
  moment: Moment,
): Decision | undefined {
  if (rotation.unanswered !== "EnableKey") return undefined;
  const first = lookFirst(record, seen, moment, [{ kind: "key", key: old.keyId }]);
  if (first !== undefined) return first;
  if (valueOf(seen.key[old.keyId])?.state !== "Enabled") return undefined;
  const reason = "an EnableKey without an answer had its effect";
  return { kind: "change", ...enabledAgain(record, rotation, "use", reason, moment.nowMs) };
}

export function soak(
  record: ManagedKey,
  rotation: Rotation,
  old: Version,
  seen: Seen,
  moment: Moment,
): Decision {
  if (rotation.lateUseReadAtMs === undefined) {
    return readLateUse(record, rotation, old, seen, moment);
  }
  const endsMs = (rotation.soakSinceMs ?? moment.nowMs) + rotation.policy.soakMs;
  if (moment.nowMs < endsMs) return { kind: "wait", untilMs: endsMs, reason: "the soak" };
  const first = lookFirst(record, seen, moment, everythingOf(old.keyId));
  if (first !== undefined) return first;
  const key = valueOf(seen.key[old.keyId]);
  if (key?.state === "PendingDeletion" && rotation.unanswered === "ScheduleKeyDeletion") {
    return { kind: "change", ...scheduled(record, rotation, key.deletionAtMs, moment.nowMs) };
  }
  const enabling = enabledByOurs(record, rotation, old, seen, moment);
  if (enabling !== undefined) return enabling;
  const wrong =
    stateFinding(old, key, ["Disabled"], moment) ??
    ownerFinding(record, old, valueOf(seen.tags[old.keyId]), moment);
  if (wrong !== undefined) return { kind: "halt", finding: wrong };
  const inTheWay = aliasesInTheWay(rotation, old, valueOf(seen.aliases[old.keyId]), moment);
  if (inTheWay !== undefined) return enable(old, rotation, "alias", inTheWay.seen);
  const lastUse = lastUseOf(seen, old);
  if (usedSince(rotation.evidence, lastUse)) return enable(old, rotation, "use", inUse(lastUse));
  if (rotation.policy.retire !== "delete") return completed(record, rotation, old, seen, moment);
  const blocked = notQuiet(rotation, old, lastUse, moment) ?? guardrail(old, seen, lastUse, moment);
  if (blocked !== undefined) return lapsed(record, rotation, old, moment) ?? blocked;
  const windowDays = rotation.policy.deletionWindowDays;
  const call: Call = { kind: "ScheduleKeyDeletion", keyId: old.keyId, windowDays };
  return (
    evidenceRead(record, rotation, old, lastUse, moment) ??
    callOn(rotation, call, "the soak is over, and nobody asked for it")
  );
}

/** The evidence lags: what was done until the key was disabled shows only now, however short the soak. */
function readLateUse(
  record: ManagedKey,
  rotation: Rotation,
  old: Version,
  seen: Seen,
  moment: Moment,
): Decision {
  const toldAtMs = (old.disabledAtMs ?? moment.nowMs) + lastUseLagMs + consistencyMs;
  if (moment.nowMs < toldAtMs) {
    return { kind: "wait", untilMs: toldAtMs, reason: "to read the evidence of the last hour" };
  }
  const first = lookFirst(record, seen, moment, [{ kind: "last-use", keyId: old.keyId }]);
  if (first !== undefined) return first;
  const enabling = enabledByOurs(record, rotation, old, seen, moment);
  if (enabling !== undefined) return enabling;
  const lastUse = lastUseOf(seen, old);
  if (usedSince(rotation.evidence, lastUse)) return enable(old, rotation, "use", inUse(lastUse));
  return {
    kind: "change",
    next: withRotation(record, { ...rotation, lateUseReadAtMs: moment.nowMs }),
    entry: entryOf(rotation, old, "unused", "it was not used in the hour before it was disabled"),
  };
}

function inUse(lastUse: LastUse): string {
  return `it was in use until it was disabled: ${describeLastUse(lastUse)}`;
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

/** The record once a version that turned out to be needed is enabled again: back into drain. */
export function enabledAgain(
  record: ManagedKey,
  rotation: Rotation,
  because: Restored["because"],
  reason: string,
  nowMs: number,
): { next: ManagedKey; entry: EntryDraft } {
  const old = versionOf(record, rotation.from);
  const draining = without({ ...old, standing: "draining" as const }, "disabledAtMs");
  const next = withVersion(record, draining);
  const back: Rotation = {
    ...without(rotation, "unanswered"),
    step: "drain",
    stepSinceMs: nowMs,
    restored: { atMs: nowMs, because },
  };
  return {
    next: withRotation(next, back),
    entry: entryOf(rotation, old, "enabled-again", reason),
  };
}
