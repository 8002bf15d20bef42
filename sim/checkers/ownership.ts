/** I4: the rotator changes no key of others, except for the tagging at enrolment. */
import { keyIdIn, knowledgeMs, nameOf, type Checker, type Facts } from "./checker.ts";

export function ownership(facts: Facts, ownerTag: string, owner: string): Checker {
  const { kms, ours, interventions, violated } = facts;
  /** Keys that we made, or that were behind an alias at some time; tags do not count. */
  const known = new Set<string>();
  const wrong = (what: string): void => violated("I4 one rotation, one successor", what);
  return {
    beforeChange(operation, input, by) {
      if (by !== ours || operation === "CreateKey" || operation === "TagResource") return;
      const keyId = keyIdIn(input);
      const key = kms.keys.get(keyId);
      if (key === undefined) return;
      const what = `${operation} on ${nameOf(key, keyId)}`;
      if (!known.has(keyId)) return wrong(`${what}, which another principal made`);
      if (key.tags.get(ownerTag) === owner) return;
      if (interventions.byOthersSince(`tags of ${keyId}`, facts.nowMs() - knowledgeMs)) return;
      wrong(`${what}, which is not ours`);
    },
    onChange({ operation, input, principalArn, answer }) {
      if (operation === "CreateKey" && principalArn === ours) {
        known.add((answer.KeyMetadata as { KeyId: string }).KeyId);
      }
      if (operation === "CreateAlias" || operation === "UpdateAlias") known.add(keyIdIn(input));
    },
  };
}
