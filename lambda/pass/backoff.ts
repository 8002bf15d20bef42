/** How long to leave a managed key alone whose turns come to nothing. */

const backoffMs = { first: 30_000, most: 3_600_000 };

/** After that many turns in a row; `jitter` in [0, 1) is drawn once for the whole row. */
export function retryDelayMs({ tries, jitter }: { tries: number; jitter: number }): number {
  return Math.round(doubling(tries - 1) * (0.5 + jitter / 2));
}

/**
 * What a claim adds to the time at which the key falls due again if its run never comes back, where
 * that many turns before it came to nothing: a key that kills the process is not soon first again.
 */
export function claimDelayMs(tries: number): number {
  return tries === 0 ? 0 : doubling(tries);
}

function doubling(times: number): number {
  return Math.min(backoffMs.most, backoffMs.first * 2 ** Math.min(Math.max(times, 0), 10));
}
