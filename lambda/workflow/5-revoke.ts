/**
 * Step 5, revoke: disable, look for aliases at once and again, soak, and only then, where the policy
 * says so, schedule the deletion. The evidence is read again before each of the two.
 */
import { notQuiet } from "./4-drain.ts";
import { awaitDeletion } from "./deletion.ts";
import {
  callOn,
  enable,
  everythingOf,
  evidenceRead,
  guardrail,
  lapsed,
  lastUseOf,
} from "./destruction.ts";
import { describeLastUse } from "./evidence.ts";
import { finding } from "./findings.ts";
import { recheckMs } from "./limits.ts";
import { aliasesInTheWay, entryOf, ownerFinding, stateFinding } from "./old-version.ts";
import { versionOf, without, withRotation, withVersion } from "./record.ts";
import { lookFirst, valueOf } from "./sights.ts";
import { lookForAliases, soak } from "./soak.ts";
import type {
  Decision,
  EntryDraft,
  KeyState,
  LastUse,
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
  const ours = rotation.unanswered === "DisableKey";
  const isDisabled = key?.state === "Disabled" && (ours || byHand);
  const inTheWay = aliasesInTheWay(rotation, old, valueOf(seen.aliases[old.keyId]), moment);
  const lastUse = lastUseOf(seen, old);
  const inUse = notQuiet(rotation, old, lastUse, moment);
  if (isDisabled && ours && inTheWay !== undefined)
    return enable(old, rotation, "alias", inTheWay.seen);
  if (isDisabled && ours && inUse !== undefined) {
    return enable(old, rotation, "use", `our call landed late: ${describeLastUse(lastUse)}`);
  }
  const expected: KeyState[] = isDisabled && inUse === undefined ? ["Disabled"] : ["Enabled"];
  const wrong =
    stateFinding(old, key, expected, moment) ??
    ownerFinding(record, old, valueOf(seen.tags[old.keyId]), moment) ??
    inTheWay;
  if (wrong !== undefined) return { kind: "halt", finding: wrong };
  const blocked = inUse ?? (isDisabled ? undefined : guardrail(old, seen, lastUse, moment));
  if (blocked !== undefined) return lapsed(record, rotation, old, moment) ?? blocked;
  const newEvidence = evidenceRead(record, rotation, old, lastUse, moment);
  if (newEvidence !== undefined) return newEvidence;
  if (isDisabled) return { kind: "change", ...disabled(record, rotation, moment.nowMs) };
  if (byHand) return approvalRequired(rotation, old, lastUse, moment);
  return callOn(rotation, { kind: "DisableKey", keyId: old.keyId }, "the drain is proved");
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
    next: withRotation(next, { ...without(rotation, "unanswered"), stepSinceMs: nowMs }),
    entry: entryOf(rotation, old, "disabled", "the drain is proved, and was read again", {
      lastUse: rotation.evidence === undefined ? "" : describeLastUse(rotation.evidence.lastUse),
    }),
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
