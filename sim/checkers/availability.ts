/** I1 and I2: no call of the rotator takes the alias off a usable key. */
import { keyIdIn, knowledgeMs, nameOf, type Checker, type Facts } from "./checker.ts";

export function availability(facts: Facts): Checker {
  const { kms, interventions, ours, violated } = facts;
  const targets = new Map<string, string>();
  const recently = (what: string): boolean =>
    interventions.byOthersSince(what, facts.nowMs() - knowledgeMs);
  return {
    beforeChange(operation, input, by) {
      if (by !== ours) return;
      const keyId = keyIdIn(input);
      const key = kms.keys.get(keyId);
      if (operation === "UpdateAlias") {
        if (key === undefined || key.state === "Enabled" || recently(keyId)) return;
        const what = `${String(input.AliasName)} moves to ${nameOf(key, keyId)}, ${key.state}`;
        violated("I1 the alias is on an Enabled key", what);
      }
      if (operation !== "DisableKey" && operation !== "ScheduleKeyDeletion") return;
      if (key === undefined) return;
      const what = `${operation} on ${nameOf(key, keyId)}`;
      if (key.aliasNames.size > 0 && !recently(`onto ${keyId}`)) {
        const names = [...key.aliasNames].join();
        violated("I2 nothing is put out of use under an alias", `${what} under ${names}`);
      }
      for (const { call } of facts.flights) {
        if (call.kind !== "UpdateAlias" || call.keyId !== keyId) continue;
        const late = `${what}, while a call may still move ${call.alias} to it`;
        violated("I2 nothing is put out of use under an alias", late);
      }
    },
    onChange({ operation, input }) {
      const { AliasName: alias, TargetKeyId: keyId } = input;
      if (operation !== "UpdateAlias" && operation !== "CreateAlias") return;
      if (typeof alias === "string" && typeof keyId === "string") targets.set(alias, keyId);
    },
    onOutage(alias, error) {
      // KMS deletes the aliases of a key with it.
      const target = kms.aliases.get(alias)?.keyId ?? targets.get(alias) ?? "";
      if (interventions.lastByOthers(alias) || interventions.lastByOthers(target)) return;
      const what = `${alias} is unusable: ${error.message}`;
      violated("I1 the alias is on an Enabled key", what);
    },
  };
}
