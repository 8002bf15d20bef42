/** What a resource will need stays usable: judged by the world, which knows who will need which key. */
import type { Resources } from "../world/resources.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import { keyIdIn, knowledgeMs, nameOf, type Checker, type Facts } from "./checker.ts";

/** CloudTrail delivers a refused start within minutes; a run then restores the key. */
const answeredWithinMs = 90 * 60_000;

export function needs(
  facts: Facts,
  resources: Pick<Resources, "open">,
  recordOf: (alias: string) => ManagedKey | undefined,
): Checker {
  const { kms, interventions, ours, violated } = facts;
  const failingSinceMs = new Map<string, number>();

  /** A grant that every read shows. */
  const holderOf = (keyId: string): string | undefined => {
    const key = kms.keys.get(keyId);
    const heldBy = [...resources.open].find(
      (one) => one.keyId === keyId && one.kind === "volume" && one.grantId !== undefined,
    );
    const grant = key?.grants.get(heldBy?.grantId ?? "");
    const isShown = grant !== undefined && grant.createdAtMs < facts.nowMs() - knowledgeMs;
    return isShown ? grant.grantId : undefined;
  };

  return {
    beforeChange(operation, input, by) {
      if (by !== ours) return;
      const keyId = keyIdIn(input);
      const key = kms.keys.get(keyId);
      if (operation === "DisableKey" && key?.state === "Enabled") {
        const holder = holderOf(keyId);
        if (holder === undefined) return;
        const what = `${operation} on ${nameOf(key, keyId)}, which grant ${holder.slice(0, 8)} holds`;
        violated("what is needed stays", what);
      }
      if (operation !== "ScheduleKeyDeletion" || key === undefined) return;
      const needed = [...resources.open].find((one) => one.keyId === keyId);
      if (needed !== undefined) {
        const what = `${operation} on ${nameOf(key, keyId)}, which a ${needed.kind} will need`;
        violated("what is needed stays", what);
      }
      const why = kindKept(key.spec, key.usage, publicKeyOf(keyId));
      if (why !== undefined) {
        violated("what is needed stays", `${operation} on ${nameOf(key, keyId)}: ${why}`);
      }
    },
    onNeed({ keyId }, isMet) {
      const key = kms.keys.get(keyId);
      // Infrastructure code took the tag: keyturn reports it, and changes no key without it.
      const isForeign = key !== undefined && !key.tags.has(tagNames.owner);
      if (isMet || isForeign) failingSinceMs.delete(keyId);
      else if (!failingSinceMs.has(keyId)) failingSinceMs.set(keyId, facts.nowMs());
      const sinceMs = failingSinceMs.get(keyId) ?? facts.nowMs();
      if (isMet || isForeign || interventions.lastByOthers(keyId)) return;
      if (key !== undefined && facts.nowMs() - sinceMs < answeredWithinMs) return;
      const what = `${nameOf(key, keyId)} is ${key?.state ?? "deleted"}, and a resource needs it`;
      violated("what is needed stays", what);
    },
    onChange({ operation, input }) {
      if (operation === "EnableKey") failingSinceMs.delete(keyIdIn(input));
    },
  };

  function publicKeyOf(keyId: string): string | undefined {
    for (const alias of facts.policies.keys()) {
      const version = recordOf(alias)?.versions.find((one) => one.keyId === keyId);
      if (version !== undefined) return version.publicKey;
    }
    return undefined;
  }
}

/** Holders of the public key use it without KMS: nothing shows when they need the private one. */
function kindKept(spec: string, usage: string, publicKey: string | undefined): string | undefined {
  if (spec === "SYMMETRIC_DEFAULT" || spec.startsWith("HMAC_")) return undefined;
  if (usage !== "SIGN_VERIFY") return "holders of its public key may still send what it must read";
  return publicKey === undefined ? "its public key is archived nowhere" : undefined;
}
