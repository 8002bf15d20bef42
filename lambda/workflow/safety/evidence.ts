/** Whether KMS's report of a key's last use proves that the key is quiet. */
import { originating } from "../model/operations.ts";
import { isoOf } from "../model/iso.ts";
import { consistencyMs, dayMs, lastUseLagMs } from "../model/limits.ts";
import type { Evidence, LastUse, Policy } from "../model/types.ts";

export type DrainVerdict =
  | { kind: "quiet" }
  | { kind: "in-use"; quietAtMs: number }
  | { kind: "originated"; operation: string; atMs: number }
  | { kind: "unknown"; why: string };

/**
 * The evidence covers the time up to `lastUseLagMs` ago: only that time counts as quiet.
 * Callers resolve the alias to the old key for up to five minutes after it moved.
 */
export function judge(
  lastUse: LastUse,
  retiredAtMs: number,
  policy: Pick<Policy, "drain">,
  nowMs: number,
): DrainVerdict {
  switch (lastUse.kind) {
    case "unknown":
      return { kind: "unknown", why: lastUse.why };
    case "never":
      return judgeQuiet(lastUse, policy, nowMs);
    case "used": {
      const { operation, atMs } = lastUse;
      if (originating.has(operation) && atMs > retiredAtMs + consistencyMs) {
        return { kind: "originated", operation, atMs };
      }
      return judgeQuiet(lastUse, policy, nowMs);
    }
  }
}

/** Whether it is quiet for long enough, after a use of any kind. */
export function judgeQuiet(
  lastUse: Exclude<LastUse, { kind: "unknown" }>,
  policy: Pick<Policy, "drain">,
  nowMs: number,
): Extract<DrainVerdict, { kind: "quiet" | "in-use" }> {
  const atMs = lastUse.kind === "never" ? lastUse.sinceMs : lastUse.atMs;
  const quietAtMs = atMs + policy.drain.quietForMs + lastUseLagMs;
  return nowMs >= quietAtMs ? { kind: "quiet" } : { kind: "in-use", quietAtMs };
}

/** Whether the key was used later than the evidence on record shows. */
export function usedSince(before: Omit<Evidence, "hash"> | undefined, now: LastUse): boolean {
  if (now.kind !== "used") return false;
  if (before === undefined) return true;
  if (before.lastUse.kind === "used") return now.atMs > before.lastUse.atMs;
  return before.lastUse.kind === "never" || now.atMs > before.observedAtMs - lastUseLagMs;
}

/**
 * The earliest time at which the key's own policy allows to disable it or schedule its deletion:
 * the condition key kms:TrailingDaysWithoutKeyUsage counts whole days since the last use, or since
 * creation for a key never used (developer guide, conditions-kms). 0 without such a condition.
 */
export function guardrailEndsMs(document: string, lastUse: LastUse, createdAtMs: number): number {
  const floors = trailingDays(JSON.parse(document));
  if (floors.length === 0) return 0;
  const days = Math.max(...floors) + 1;
  const sinceMs = lastUse.kind === "never" ? Math.max(lastUse.sinceMs, createdAtMs) : createdAtMs;
  return (lastUse.kind === "used" ? lastUse.atMs : sinceMs) + days * dayMs;
}

/** Every number that the policy compares the condition key with; key names ignore case. */
function trailingDays(node: unknown): number[] {
  if (node === null || typeof node !== "object") return [];
  return Object.entries(node).flatMap(([name, value]: [string, unknown]) => {
    if (name.toLowerCase() !== "kms:trailingdayswithoutkeyusage") return trailingDays(value);
    return (Array.isArray(value) ? value : [value]).map(Number).filter((days) => days >= 0);
  });
}

export function describeLastUse(lastUse: LastUse): string {
  switch (lastUse.kind) {
    case "used":
      return `${lastUse.operation} at ${isoOf(lastUse.atMs)}`;
    case "never":
      return `never, since ${isoOf(lastUse.sinceMs)}`;
    case "unknown":
      return `unknown: ${lastUse.why}`;
  }
}
