/**
 * Nobody's key is deleted under a refusal that reached the queue, or that a watched trail would have shown; and a
 * lock-out by a move is reported.
 */
import type { Lockout } from "../world/lockout.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import { keyIdIn, nameOf, type Checker, type Facts } from "./checker.ts";

const hourMs = 3_600_000;
/** From the queue to a decision: batches that fail come again, and runs fail, too. */
const knownAfterMs = 3 * hourMs;
/** A trail that is off for longer than this is found out. */
const gapMs = 40 * hourMs;

export function lockouts(
  facts: Facts,
  callers: { lockouts: Lockout[] },
  recordOf: (alias: string) => ManagedKey | undefined,
): Checker {
  const { kms, ours, violated } = facts;
  const deletedByUs = new Set<string>();
  /** When each alias was moved last: authorization lags after that, also after a rollback. */
  const movedAtMs = new Map<string, number>();

  const needOf = (keyId: string): Lockout | undefined =>
    callers.lockouts.find(
      (one) => one.keyId === keyId && isKnowable(one, facts.nowMs()) && isByMove(one, recordOf),
    );

  return {
    beforeChange(operation, input, by) {
      if (by !== ours || operation !== "ScheduleKeyDeletion") return;
      const keyId = keyIdIn(input);
      const need = needOf(keyId);
      if (need === undefined) return;
      const { caller } = need;
      const what = `${operation} on ${nameOf(kms.keys.get(keyId), keyId)}, which ${caller.kind} ${caller.principalArn} needs`;
      violated("what is needed stays", what);
    },
    onChange({ operation, input, principalArn, atMs }) {
      if (operation.endsWith("Alias")) movedAtMs.set(String(input.AliasName), atMs);
      if (!operation.endsWith("KeyDeletion")) return;
      const isOurs = operation === "ScheduleKeyDeletion" && principalArn === ours;
      if (isOurs) deletedByUs.add(keyIdIn(input));
      else deletedByUs.delete(keyIdIn(input));
    },
    onLockout({ keyId, caller }) {
      const key = kms.keys.get(keyId);
      if (caller.kind === "by-helper") {
        const what = `${caller.principalArn} is refused on ${nameOf(key, keyId)}`;
        return violated("a grant of manage() holds", what);
      }
      const isGoing = key === undefined || key.state === "PendingDeletion";
      // Once it is scheduled, only an event can stop it.
      const isHeard = needOf(keyId)?.arrival.kind === "delivered";
      if (isGoing && deletedByUs.has(keyId) && isHeard) {
        const what = `${nameOf(key, keyId)} is ${key?.state ?? "deleted"}, and ${caller.principalArn} is refused`;
        violated("what is needed stays", what);
      }
      if (caller.kind === "by-arn") mustBeReported(caller);
    },
  };

  function mustBeReported({ alias, principalArn }: Lockout["caller"]): void {
    const record = recordOf(alias);
    const active = record?.versions.find(({ state }) => state === "active");
    if (record === undefined || active?.activatedAtMs === undefined) return;
    const sinceMs = Math.max(active.activatedAtMs, movedAtMs.get(alias) ?? 0) + hourMs / 2;
    const known = callers.lockouts.some(
      (one) =>
        one.caller.principalArn === principalArn &&
        // Somebody may have moved the alias to a key that keyturn does not manage.
        one.aliasedKeyId === active.keyId &&
        one.atMs >= sinceMs &&
        one.arrival.kind === "delivered" &&
        one.arrival.atMs < facts.nowMs() - knownAfterMs,
    );
    // On a later version it was refused before the move, too.
    if (!known || active.number !== 2 || record.claim !== undefined) return;
    if (record.findings.some(({ code }) => code === "REFUSED_SINCE_ACTIVATION")) return;
    const what = `${principalArn} is refused on version ${active.number} of ${alias} since the move`;
    violated("a lock-out is reported", what);
  }
}

/** Refused uses that arrived long ago, and those of a trail that is off for long enough to notice. */
function isKnowable({ arrival }: Lockout, nowMs: number): boolean {
  switch (arrival.kind) {
    case "delivered":
      return arrival.atMs < nowMs - knownAfterMs;
    case "off":
      return arrival.sinceMs < nowMs - gapMs;
    case "lost":
      return false;
  }
}

/**
 * A refusal before its key was retired, or in the minutes after, has another cause; so may one in the minutes after
 * the version that refused it became active.
 */
function isByMove(
  { keyId, aliasedKeyId, caller, atMs }: Lockout,
  recordOf: (alias: string) => ManagedKey | undefined,
): boolean {
  const { versions = [] } = recordOf(caller.alias) ?? {};
  const { retiredAtMs = Infinity } = versions.find((one) => one.keyId === keyId) ?? {};
  const refusing = versions.find((one) => one.keyId === aliasedKeyId);
  const lagMs = atMs - (refusing?.firstAliasAtMs ?? refusing?.activatedAtMs ?? -Infinity);
  const mayBeLag = caller.kind === "by-arn" && Math.abs(lagMs) < hourMs / 4;
  return caller.kind !== "by-tag" && !mayBeLag && atMs >= retiredAtMs + hourMs / 4;
}
