/** One form for equal values, to compare and hash them. */
import { hash } from "node:crypto";
import { aliasOnlyOf, withoutAliasOnly } from "../workflow/enrolment/alias-only.ts";
import type { KeyPolicy } from "../workflow/model/types.ts";

/** JSON with the keys of every object in order. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(inOrder(value));
}

/** The same for equal values: SHA-256 in hex. */
export function canonicalHash(value: unknown): string {
  return hash("sha256", canonicalJson(value));
}

function inOrder(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(inOrder);
  const fields = value as Record<string, unknown>;
  const names = Object.keys(fields).sort();
  return Object.fromEntries(names.map((name) => [name, inOrder(fields[name])]));
}

/**
 * The hash of a key policy's meaning: KMS returns a policy in another form than it received. A list
 * of one equals its only member, and the order of a list means nothing in IAM. Keyturn's own
 * statement does not count: policies with and without it, or for other aliases, are equal.
 */
export function policyHash(document: string): string {
  return canonicalHash(normalised(JSON.parse(withoutAliasOnly(document))));
}

export function keyPolicyOf(document: string): KeyPolicy {
  const aliasOnly = aliasOnlyOf(document);
  const hash = policyHash(document);
  return { document, hash, ...(aliasOnly === undefined ? {} : { aliasOnly }) };
}

function normalised(value: unknown): unknown {
  if (Array.isArray(value)) {
    const members = value.map(normalised);
    if (members.length === 1) return members[0];
    return members
      .map((member) => ({ member, text: canonicalJson(member) }))
      .sort((a, b) => (a.text < b.text ? -1 : 1))
      .map(({ member }) => member);
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, normalised(inner)]),
  );
}
