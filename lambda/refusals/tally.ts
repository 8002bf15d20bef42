/** Counts equal refused calls until they are stored; pure. */
import { createHash } from "node:crypto";
import type { RefusedCall } from "../inbound/refused-use.ts";
import { byAlias } from "../workflow/model/refusals.ts";

/** Equal calls. `subject`: the id of the key that refused them, or `byAlias`. */
export type Tally = {
  subject: string;
  /** Stands for principal, operation and error. */
  name: string;
  principal: string;
  operation: string;
  error: string;
  byKeyPolicy?: true;
  firstAtMs: number;
  lastAtMs: number;
  count: number;
};

export function tallyOf({ on, atMs, ...call }: RefusedCall): Tally {
  const { principal, operation, error } = call;
  const subject = "keyId" in on ? on.keyId : byAlias;
  const name = nameOf(principal, operation, error);
  return { ...call, subject, name, firstAtMs: atMs, lastAtMs: atMs, count: 1 };
}

/** Calls that differ in the kind of policy that denied them count as denied for other reasons than the key policy. */
export function withTally<T extends Omit<Tally, "subject" | "name">>(before: T, more: Tally): T {
  const { byKeyPolicy, ...rest } = before;
  const isByKeyPolicy = byKeyPolicy === true && more.byKeyPolicy === true;
  return {
    ...rest,
    ...(isByKeyPolicy ? { byKeyPolicy } : {}),
    firstAtMs: Math.min(before.firstAtMs, more.firstAtMs),
    lastAtMs: Math.max(before.lastAtMs, more.lastAtMs),
    count: before.count + more.count,
  } as T;
}

/** Equal on every version: a caller that is refused before a move and after it has one name. */
export function nameOf(principal: string, operation: string, error: string): string {
  const hash = createHash("sha256").update(JSON.stringify([principal, operation, error]));
  return hash.digest("base64url").slice(0, 10);
}
