/** I4: what is not ours is left alone, but for the one tagging at enrolment. */
import { keyIdIn, knowledgeMs, nameOf, type Checker, type Facts } from "./checker.ts";

export function ownership(facts: Facts, ownerTag: string, owner: string): Checker {
  const { kms, ours, interventions, violated } = facts;
  /** Made by us, or behind an alias at some time: whatever its tags say. */
  const known = new Set<string>();
  const foreign = (what: string): void => violated("I4 one rotation, one successor", what);
  return {
    beforeChange(operation, input, by) {
      if (by !== ours || operation === "CreateKey" || operation === "TagResource") return;
      const keyId = keyIdIn(input);
      const key = kms.keys.get(keyId);
      if (key === undefined) return;
      const what = `${operation} on ${nameOf(key, keyId)}`;
      if (!known.has(keyId)) return foreign(`${what}, which others made`);
      if (key.tags.get(ownerTag) === owner) return;
      if (interventions.byOthersSince(`tags of ${keyId}`, facts.nowMs() - knowledgeMs)) return;
      foreign(`${what}, which is not ours`);
    },
    onChange({ operation, input, principalArn, answer }) {
      if (operation === "CreateKey" && principalArn === ours) {
        known.add((answer.KeyMetadata as { KeyId: string }).KeyId);
      }
      if (operation === "CreateAlias" || operation === "UpdateAlias") known.add(keyIdIn(input));
    },
  };
}
