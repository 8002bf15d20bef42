/** How long to wait before the next pass after failed passes, and before the next try of one invocation. */

const backoffMs = { first: 30_000, most: 3_600_000 };

/** After `tries` failed passes in a row; `jitter` in [0, 1) is drawn once for the row. */
export function retryDelayMs({ tries, jitter }: { tries: number; jitter: number }): number {
  return Math.round(doubling(tries - 1) * (0.5 + jitter / 2));
}

/**
 * What a claim adds, after `tries` failed passes, to the time when the key falls due again if its
 * run never finishes: a key that crashes the process must not soon be first again.
 */
export function claimDelayMs(tries: number): number {
  return tries === 0 ? 0 : doubling(tries);
}

/** Before the next try of an invocation that answers an event, after `tries` of them. */
export function pauseMs(tries: number): number {
  return Math.min(8000, 500 * 2 ** tries);
}

function doubling(times: number): number {
  return Math.min(backoffMs.most, backoffMs.first * 2 ** Math.min(Math.max(times, 0), 10));
}
