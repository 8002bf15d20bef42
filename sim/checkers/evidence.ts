/** I3: what goes out of use had been out of use, as far as anybody could know. */
import { keyIdIn, nameOf, type Checker, type Facts } from "./checker.ts";

/** Between reading the evidence and the call's arrival: looks, writes, a stall, a flight, skew. */
const slackMs = 8 * 60_000;

export function evidence(facts: Facts): Checker {
  const { kms, ours, violated, policies } = facts;
  /** Which managed key a KMS key is, or was, a version of. */
  const managed = new Map<string, string>();
  return {
    onChange({ operation, input }) {
      if (operation === "CreateAlias" || operation === "UpdateAlias") {
        managed.set(keyIdIn(input), String(input.AliasName));
      }
    },
    beforeChange(operation, input, by) {
      if (by !== ours) return;
      if (operation !== "DisableKey" && operation !== "ScheduleKeyDeletion") return;
      const keyId = keyIdIn(input);
      const key = kms.keys.get(keyId);
      if (key === undefined || (operation === "DisableKey" && key.state === "Disabled")) return;
      const shownMs = facts.nowMs() - kms.lastUsageLagMs - slackMs;
      const quietForMs = policies.get(managed.get(keyId) ?? "")?.drain.quietForMs ?? 0;
      const use = facts.uses.get(keyId)?.findLast((atMs) => atMs <= shownMs);
      if (use === undefined || use <= shownMs + slackMs - quietForMs + slackMs) return;
      const minutes = Math.round((facts.nowMs() - use) / 60_000);
      const what = `${operation} on ${nameOf(key, keyId)}, used ${minutes} minutes before`;
      violated("I3 nothing is put out of use without evidence", what);
    },
  };
}
