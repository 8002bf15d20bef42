/** Every field has a default: a test sets only the fields that matter to it. */
import { refusalsMark } from "../lambda/inbound/canary.ts";
import { canaryEvent as canaryOfMark } from "../sim/world/trail.ts";
import type { Home, Key, Policy } from "../lambda/workflow/model/types.ts";

export const secondMs = 1000;
export const minuteMs = 60 * secondMs;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

export function aPolicy(changes: Partial<Policy> = {}): Policy {
  return {
    name: "quarterly",
    cryptoperiodMs: 90 * dayMs,
    leadMs: 7 * dayMs,
    propagationMs: 15 * minuteMs,
    originate: "observe",
    drain: { atLeastMs: 30 * dayMs, quietForMs: 14 * dayMs, evidence: "required" },
    retire: "disable",
    soakMs: 14 * dayMs,
    deletionWindowDays: 30,
    approval: "none",
    acknowledgeWithinMs: 7 * dayMs,
    ...changes,
  };
}

export const applied = {
  owner: "acme",
  mode: "act" as const,
  policies: ["quarterly"],
  taggedAliases: ["alias/team-*"],
};

export function aHome(changes: Partial<Home> = {}): Home {
  const alias = changes.alias ?? "alias/orders";
  return { alias, aliases: [alias], policy: aPolicy(), dependents: [], ...changes };
}

export function aKey(changes: Partial<Key> = {}): Key {
  const keyId = changes.keyId ?? "11111111-1111-4111-8111-111111111111";
  return {
    keyId,
    arn: `arn:aws:kms:us-east-1:000000000000:key/${keyId}`,
    state: "Enabled",
    managedBy: "CUSTOMER",
    description: "",
    createdAtMs: 0,
    spec: "SYMMETRIC_DEFAULT",
    usage: "ENCRYPT_DECRYPT",
    origin: "AWS_KMS",
    multiRegion: false,
    ...changes,
  };
}

/** A key policy that delegates the key to the account; `Sid` distinguishes it from others. */
export function aPolicyDocument(Sid: string): string {
  const root = { AWS: "arn:aws:iam::000000000000:root" };
  const Statement = [{ Sid, Effect: "Allow", Principal: root, Action: "kms:*", Resource: "*" }];
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

/** Tags as KMS takes them. */
export function tagList(tags: Record<string, string>): { TagKey: string; TagValue: string }[] {
  return Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
}

/** CloudTrail's event of the canary for refused uses, sent at this time. */
export function canaryEvent(atMs: number): unknown {
  return canaryOfMark(refusalsMark, atMs);
}
