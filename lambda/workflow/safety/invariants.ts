/**
 * I1 to I4 and I8 of ARCHITECTURE.md, asserted before every call, independent of the decision. A violation
 * is a bug, and keyturn does not make the call.
 */
import { blockedUntilMs, isExempt } from "./settle.ts";
import { valueOf } from "./observations.ts";
import { tagNames } from "../model/tag-names.ts";
import type { Call, ManagedKey, Matter, Context, ObservedState } from "../model/types.ts";

export function violations(
  record: ManagedKey,
  call: Call,
  matter: Matter,
  observed: ObservedState,
  context: Context,
): string[] {
  const broken: string[] = [];
  const must = (holds: boolean, what: string): void => {
    if (!holds) broken.push(what);
  };
  const { epoch, uncertain, nowMs } = context;
  if (!isExempt(call)) {
    const untilMs = blockedUntilMs(record.unsettled, epoch, uncertain, nowMs);
    must(untilMs === undefined, "settle rule: a call without an answer may still land");
    must(
      record.unsettled.some((entry) => entry.epoch === epoch && entry.untilMs > nowMs),
      "settle rule: this epoch's own mark is not on record",
    );
  }
  switch (call.kind) {
    case "UpdateAlias": {
      const target = valueOf(observed.key[call.keyId]);
      must(target?.state === "Enabled", "I1: the alias may only move to a key observed Enabled");
      must(isOwn(record, call.keyId, observed), "I4: the alias may only move to a key of ours");
      must(
        record.versions.some(({ keyId }) => keyId === call.keyId),
        "I1: the alias may only move to a version on record",
      );
      break;
    }
    case "DisableKey":
    case "ScheduleKeyDeletion": {
      const aliases = valueOf(observed.aliases[call.keyId]);
      must(isOwn(record, call.keyId, observed), "I4: it is not ours");
      must(aliases?.length === 0, "I2: an alias may point at it");
      must(observed["last-use"][call.keyId] !== undefined, "I3: the last use was not read again");
      must(drained(record, call.keyId, matter), "I3: no evidence of drain is on record");
      if (call.kind === "ScheduleKeyDeletion") {
        must(isDeletionApproved(record, matter), "I8: no operator approved this deletion");
        const isRead =
          context.refusalsWatch !== "cloudtrail" || observed.refusals[record.alias] !== undefined;
        must(isRead, "I8: the refused uses were not read again");
      }
      break;
    }
    case "CreateKey":
      break;
    case "TagResource":
      if (matter.kind !== "enrolment")
        must(isOwn(record, call.keyId, observed), "I4: it is not ours");
      break;
    case "UntagResource":
    case "CreateGrant":
    case "CancelKeyDeletion":
    case "EnableKey":
      must(isOwn(record, call.keyId, observed), "I4: it is not ours");
      break;
  }
  return broken;
}

/** By its tags, as just observed. */
function isOwn({ owner }: ManagedKey, keyId: string, observed: ObservedState): boolean {
  return valueOf(observed.tags[keyId])?.[tagNames.owner] === owner;
}

function isDeletionApproved({ rotations }: ManagedKey, matter: Matter): boolean {
  if (matter.kind !== "rotation") return false;
  const { approval } = rotations.find(({ id }) => id === matter.rotationId) ?? {};
  return approval?.of === "delete" && !approval.override;
}

function drained(record: ManagedKey, keyId: string, matter: Matter): boolean {
  if (matter.kind === "extra") {
    return record.versions.every((version) => version.keyId !== keyId);
  }
  if (matter.kind !== "rotation") return false;
  const rotation = record.rotations.find(({ id }) => id === matter.rotationId);
  const old = record.versions.find((version) => version.keyId === keyId);
  return (
    rotation?.evidence !== undefined &&
    rotation.labelledAtMs !== undefined &&
    old?.number === rotation.from &&
    (old.state === "draining" || old.state === "disabled")
  );
}
