/** Durations as written in a policy: a whole number and a unit, such as "90d". */

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Nine digits of days stay far below the largest safe integer of milliseconds. */
const pattern = /^(0|[1-9][0-9]{0,8})([mhd])$/;

/** Milliseconds, or undefined if the text is not a whole number followed by `m`, `h` or `d`. */
export function parseDuration(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}

/**
 * The shortest form: the largest unit that divides `durationMs`. Inverse of `parseDuration`.
 * Throws a RangeError for a negative duration and for a fraction of a minute.
 */
export function formatDuration(durationMs: number): string {
  if (!Number.isSafeInteger(durationMs) || durationMs < 0 || durationMs % unitMs.m !== 0) {
    throw new RangeError(`expected whole minutes in milliseconds, got ${durationMs}`);
  }
  if (durationMs === 0) return "0m";
  if (durationMs % unitMs.d === 0) return `${durationMs / unitMs.d}d`;
  if (durationMs % unitMs.h === 0) return `${durationMs / unitMs.h}h`;
  return `${durationMs / unitMs.m}m`;
}
