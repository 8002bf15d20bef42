/** Formats times and ages for readers. */

const unitsMs = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
] as const;

/** In the largest unit that fits, rounded down: `12d`, `3h`, `<1m`. */
export function roughly(durationMs: number): string {
  for (const [unit, ms] of unitsMs) {
    if (durationMs >= ms) return `${Math.floor(durationMs / ms)}${unit}`;
  }
  return "<1m";
}

export function fromNow(atMs: number, nowMs: number): string {
  if (atMs >= Number.MAX_SAFE_INTEGER) return "never";
  return atMs <= nowMs ? "now" : `in ${roughly(atMs - nowMs)}`;
}

export function ago(atMs: number, nowMs: number): string {
  return atMs > nowMs ? "just now" : `${roughly(nowMs - atMs)} ago`;
}

/** `2027-03-06 07:15`, in UTC. */
export function formatTime(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 16).replace("T", " ");
}

/** `2027-03-06 07:15:30 UTC` */
export function formatTimeWithSeconds(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `07:15:30`, in UTC. */
export function clockTime(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 19);
}

/** The used share of the whole; `!` if it is all used. */
export function bar(part: number, whole: number, cells: number): string {
  const share = whole <= 0 ? 1 : part / whole;
  if (share >= 1) return `${"█".repeat(cells)}!`;
  const full = Math.floor(Math.max(0, share) * cells);
  return "█".repeat(full) + "░".repeat(cells - full);
}
