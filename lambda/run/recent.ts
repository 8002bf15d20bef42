/**
 * What this process did or found within the last minute, by name: it saves requests to the table. Of each other process
 * it knows nothing.
 */
export type Recent = Map<string, number>;

const recentMs = 60_000;
const namesMax = 10_000;

/** A clock that jumps ends it. */
export function isRecent(recent: Recent, name: string, nowMs: number): boolean {
  return Math.abs(nowMs - (recent.get(name) ?? -Infinity)) < recentMs;
}

/** Extends no recent note. */
export function note(recent: Recent, name: string, nowMs: number): void {
  if (isRecent(recent, name, nowMs)) return;
  if (recent.size >= namesMax) recent.clear();
  recent.set(name, nowMs);
}
