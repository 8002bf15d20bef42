/** Since when refused uses are collected without a gap: pure. */
import { dayMs } from "../workflow/model/limits.ts";
import { refusalsGapMs } from "../workflow/revoke/collected.ts";
import type { RefusalsWatch } from "../workflow/model/types.ts";

/** How often the count of events that name no key is stored. */
const countedEveryMs = dayMs / 24;

/** The next state, if it must be stored. `heard`: when canaries that arrived were sent. */
export function watched(
  before: RefusalsWatch | undefined,
  heard: number[],
  unattributed: number,
  nowMs: number,
): RefusalsWatch | undefined {
  let next = before ?? {
    ...{ revision: 0, heardAtMs: 0, sinceMs: nowMs, unattributed: 0, storedAtMs: 0 },
  };
  for (const atMs of [...heard].sort((a, b) => a - b)) {
    if (atMs <= next.heardAtMs) continue;
    const isGap = atMs - next.heardAtMs > refusalsGapMs;
    next = { ...next, heardAtMs: atMs, ...(isGap ? { sinceMs: atMs } : {}) };
  }
  const isHeard = next.heardAtMs !== (before?.heardAtMs ?? 0);
  const isCounted = unattributed > 0 && nowMs >= next.storedAtMs + countedEveryMs;
  if (!isHeard && !isCounted) return undefined;
  return {
    ...next,
    unattributed: next.unattributed + unattributed,
    revision: next.revision + 1,
    storedAtMs: nowMs,
  };
}
