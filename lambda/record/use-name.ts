/** The name of a refused use in its item: short, whatever names its caller chose. */
import { createHash } from "node:crypto";

/** Equal on every version: a caller that is refused before a move and after it has one name. */
export function nameOf(principal: string, operation: string, error: string): string {
  const hash = createHash("sha256").update(JSON.stringify([principal, operation, error]));
  return hash.digest("base64url").slice(0, 10);
}
