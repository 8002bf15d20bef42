/** I3: no key leaves use while it is in use, as far as any observer can know. */
import { keyIdIn, nameOf, type Checker, type Facts } from "./checker.ts";

/** From the read of the evidence to the call's arrival: reads, writes, a stall, transit, skew. */
const slackMs = 8 * 60_000;
/** Within this time the rotator must read and act on the evidence of the last hour. */
const foundOutMs = 4 * 3_600_000;

export function evidence(facts: Facts, isHeld: (alias: string) => boolean): Checker {
  const { kms, ours, violated, policies } = facts;
  /** For each KMS key the managed key of which it is or was a version. */
  const managed = new Map<string, string>();
  const disabledAtMs = new Map<string, number>();
  const lastUse = (keyId: string, untilMs: number): number | undefined =>
    facts.uses.get(keyId)?.findLast((atMs) => atMs <= untilMs);
  const policyOf = (keyId: string) => policies.get(managed.get(keyId) ?? "");
  return {
    onChange({ operation, input, principalArn, atMs }) {
      const keyId = keyIdIn(input);
      if (operation === "CreateAlias" || operation === "UpdateAlias") {
        managed.set(keyId, String(input.AliasName));
      } else if (operation === "DisableKey" && principalArn === ours) {
        disabledAtMs.set(keyId, disabledAtMs.get(keyId) ?? atMs);
      } else if (operation === "EnableKey" || operation === "DisableKey") {
        disabledAtMs.delete(keyId);
      }
    },
    beforeChange(operation, input, by) {
      if (by !== ours) return;
      if (operation !== "DisableKey" && operation !== "ScheduleKeyDeletion") return;
      const keyId = keyIdIn(input);
      const key = kms.keys.get(keyId);
      if (key === undefined || (operation === "DisableKey" && key.state === "Disabled")) return;
      const shownMs = facts.nowMs() - kms.lastUsageLagMs - slackMs;
      const quietForMs = policyOf(keyId)?.drain.quietForMs ?? 0;
      const use = lastUse(keyId, shownMs);
      if (use === undefined || use <= shownMs + slackMs - quietForMs + slackMs) return;
      const minutes = Math.round((facts.nowMs() - use) / 60_000);
      const what = `${operation} on ${nameOf(key, keyId)}, used ${minutes} minutes before`;
      violated("I3 nothing is put out of use without evidence", what);
    },
    atEnd() {
      for (const [keyId, atMs] of disabledAtMs) {
        const alias = managed.get(keyId) ?? "";
        const isLong = facts.nowMs() - atMs > foundOutMs && !isHeld(alias);
        const use = lastUse(keyId, atMs) ?? -Infinity;
        const isUnobserved = use > atMs - kms.lastUsageLagMs + slackMs;
        if (!isLong || !isUnobserved || kms.keys.get(keyId)?.state === "Enabled") continue;
        const name = nameOf(kms.keys.get(keyId), keyId);
        const what = `${name} was in use until DisableKey, and no run found out`;
        violated("I3 nothing is put out of use without evidence", what);
      }
    },
  };
}
