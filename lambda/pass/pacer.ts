/**
 * Spends a configured share of KMS's request quotas, which all callers of the account and Region
 * share. One bucket per operation, refilled by the clock.
 */
import type { Clock } from "../ports.ts";
import type { Call } from "../workflow/model/types.ts";

/** Requests a second that AWS KMS allows by default (developer guide, requests-per-second). */
const ofChangingCalls: Record<Call["kind"], number> = {
  CreateKey: 5,
  UpdateAlias: 5,
  EnableKey: 5,
  DisableKey: 5,
  CancelKeyDeletion: 5,
  UntagResource: 5,
  TagResource: 10,
  ScheduleKeyDeletion: 15,
  CreateGrant: 50,
};

const quotaPerSecond: Record<string, number> = {
  ...ofChangingCalls,
  GetKeyLastUsage: 5,
  ListGrants: 100,
  ListAliases: 500,
};

export interface Pacer {
  /** Resolves when this operation may have one more request, or at `untilMs`. */
  take(operation: string, untilMs: number): Promise<void>;
}

/** `share` of each quota; an operation without a known quota never waits. */
export function createPacer(clock: Clock, share: number): Pacer {
  const nextAtMs = new Map<string, number>();
  return {
    async take(operation, untilMs) {
      const quota = quotaPerSecond[operation];
      if (quota === undefined) return;
      const nowMs = clock.nowMs();
      const atMs = Math.min(Math.max(nextAtMs.get(operation) ?? 0, nowMs), untilMs);
      nextAtMs.set(operation, atMs + 1000 / (quota * share));
      if (atMs > nowMs) await clock.sleep(atMs - nowMs);
    },
  };
}
