/**
 * The id of a request. A run processes the requests of a managed key in the order of their ids.
 * `random` separates two requests of one millisecond.
 */
export function requestId(nowMs: number, random: string): string {
  const stamp = new Date(nowMs).toISOString().replace(/[-:.]/g, "");
  return `${stamp}-${random}`;
}
