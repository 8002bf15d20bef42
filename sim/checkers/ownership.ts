/** I4: what is not ours is left alone, but for the one tagging at enrolment. */
import { keyIdIn, knowledgeMs, nameOf, type Checker, type Facts } from "./checker.ts";

export function ownership(facts: Facts, ownerTag: string, owner: string): Checker {
  const { kms, ours, hands, violated } = facts;
  return {
    beforeChange(operation, input, by) {
      if (by !== ours || operation === "CreateKey" || operation === "TagResource") return;
      const keyId = keyIdIn(input);
      const key = kms.keys.get(keyId);
      if (key === undefined || key.tags.get(ownerTag) === owner) return;
      if (hands.byOthersSince(`tags of ${keyId}`, facts.nowMs() - knowledgeMs)) return;
      const what = `${operation} on ${nameOf(key, keyId)}, which is not ours`;
      violated("I4 one rotation, one successor", what);
    },
  };
}
