/**
 * The id of a request: requests of one managed key are taken in the order of their ids. `random` keeps
 * two operators in one millisecond apart.
 */
export function requestId(nowMs: number, random: string): string {
  const stamp = new Date(nowMs).toISOString().replace(/[-:.]/g, "");
  return `${stamp}-${random}`;
}
