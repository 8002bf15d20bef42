/** I5: what was made under the alias and is kept can be read; nothing in use is gone. */
import type { Application } from "../world/application.ts";
import { keyIdIn, nameOf, type Checker, type Facts } from "./checker.ts";

/** A use attempt brings a key back, but the news of it takes its time. */
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
        violated("I5 what is kept can be read", `${alias}: ${keyId}, whose data is kept, is gone`);
      } else if (isEnd && facts.nowMs() - sinceMs > answeredWithinMs) {
        const what = `${alias}: ${nameOf(key, keyId)} is ${key.state}, and stays so`;
        violated("I5 what is kept can be read", what);
      }
    },
    atEnd() {
      isEnd = true;
      for (const application of applications) application.readAll();
    },
  };
}
