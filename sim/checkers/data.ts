/** I5: kept data that was made under the alias stays readable; no key in use is deleted. */
import type { Application } from "../world/application.ts";
import { keyIdIn, nameOf, type Checker, type Facts } from "./checker.ts";

/** A use attempt restores a key, but its event takes time to arrive. */
const answeredWithinMs = 60 * 60_000;

export function data(facts: Facts, applications: Application[]): Checker {
  const { kms, interventions, violated } = facts;
  const missedSinceMs = new Map<string, number>();
  let isEnd = false;
  return {
    onUse(keyId) {
      missedSinceMs.delete(keyId);
    },
    onChange({ operation, input }) {
      if (operation === "EnableKey") missedSinceMs.delete(keyIdIn(input));
    },
    onUnreadable(alias, keyId) {
      const key = kms.keys.get(keyId);
      const sinceMs = missedSinceMs.get(keyId) ?? facts.nowMs();
      missedSinceMs.set(keyId, sinceMs);
      if (interventions.lastByOthers(keyId)) return;
      if (key === undefined) {
        violated(
          "I5 kept data stays readable",
          `${alias}: ${keyId}, whose data is kept, is deleted`,
        );
      } else if (isEnd && facts.nowMs() - sinceMs > answeredWithinMs) {
        const what = `${alias}: ${nameOf(key, keyId)} remains ${key.state}`;
        violated("I5 kept data stays readable", what);
      }
    },
    atEnd() {
      isEnd = true;
      for (const application of applications) application.readAll();
    },
  };
}
