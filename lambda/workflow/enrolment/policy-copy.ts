/** Which key policies are valid on a new key, and the same there as on the old one. */
import { hasOurSid, withAliasOnly } from "./alias-only.ts";
import { lockedOutOf } from "./lock-out.ts";
import { isKept, readDocument, statementsOf, writeDocument } from "../model/policy-document.ts";
import type { Key, KeyPolicy } from "../model/types.ts";

/** The key policy for CreateKey; `aliases` are the only ones through which the new version may originate. */
export function copyOf(document: string, aliases: string[] | undefined): string {
  return writeDocument(readDocument(withAliasOnly(document, aliases)));
}

/** Why keyturn cannot copy the key policy: what the policy does. */
export function whyNotCopied(
  { keyId, arn }: Key,
  { document, aliasOnly }: KeyPolicy,
): string | undefined {
  // Each judgement rests on what JSON.parse returns.
  if (!isKept(document)) {
    return "has two members of one name, or a number, that a copy would change";
  }
  const policy = readDocument(document);
  // Anywhere in it: an id is unique, and no other text has it by chance. An escape does not hide it.
  if (JSON.stringify(policy).includes(keyId)) {
    return "names the key's own id, which would be wrong on the next version";
  }
  if (aliasOnly === undefined && statementsOf(policy).some(hasOurSid)) {
    return "has a statement with the Sid KeyturnAliasOnly that keyturn did not write";
  }
  const operation = lockedOutOf(document, arn);
  return operation && `leaves kms:${operation} to no role of the account`;
}
