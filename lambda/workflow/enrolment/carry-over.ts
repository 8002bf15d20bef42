/** What keyturn copies from the old version to the new one, and what it cannot copy. */
import { whyNotCopied } from "./policy-copy.ts";
import { showPolicy, showTags } from "../model/commands.ts";
import { finding, type Finding } from "../model/findings.ts";
import { tagsPerKey } from "../model/limits.ts";
import { isDeletedPrincipal } from "../model/principals.ts";
import { tagNames } from "../model/tag-names.ts";
import type { Key, KeyPolicy, Tags } from "../model/types.ts";

const ownTags = Object.values(tagNames).length;

/** The old version's own tags: without AWS's, which no caller may set, and without keyturn's. */
export function copyableTags(tags: Tags): Tags {
  return Object.fromEntries(
    Object.entries(tags).filter(([name]) => !/^(aws|keyturn):/i.test(name)),
  );
}

/** Why keyturn cannot create a key like this one; undefined where it can. */
export function whyNotCarried(
  key: Key,
  policy: KeyPolicy,
  tags: Tags,
  nowMs: number,
): Finding | undefined {
  const show = showPolicy(key.keyId);
  const why = whyNotCopied(key, policy);
  if (why !== undefined) {
    const observed = `the key policy ${why}`;
    return finding("POLICY_NOT_CARRIED", key.keyId, observed, show, nowMs);
  }
  const deleted = principalsOf(policy.document).find(isDeletedPrincipal);
  if (deleted !== undefined) {
    const observed = `the key policy names ${deleted}, the id of a principal that was deleted`;
    return finding("POLICY_NOT_CARRIED", key.keyId, observed, show, nowMs);
  }
  const copied = Object.keys(copyableTags(tags)).length;
  if (copied + ownTags > tagsPerKey) {
    const observed = `${copied} tags of the key and ${ownTags} of keyturn exceed ${tagsPerKey}`;
    const next = showTags(key.keyId);
    return finding("TOO_MANY_TAGS", key.keyId, observed, next, nowMs);
  }
  return undefined;
}

/** All values of Principal and NotPrincipal in a policy document. */
function principalsOf(document: string): string[] {
  const statements = asList((JSON.parse(document) as { Statement?: unknown }).Statement);
  return statements.flatMap((statement) => {
    const { Principal, NotPrincipal } = statement as Record<string, unknown>;
    return [...stringsIn(Principal), ...stringsIn(NotPrincipal)];
  });
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (value === null || typeof value !== "object") return [];
  return Object.values(value).flatMap(stringsIn);
}
