/** A policy that changes while a rotation is open. */
import type { Policy } from "./types.ts";

const destructiveness: Policy["retire"][] = ["retain", "disable", "delete"];

/**
 * What a rotation that began under one policy does under another: of each pair, whatever destroys
 * less or waits longer. The rest of the new policy is for the next rotation.
 */
export function saferOf(began: Policy, now: Policy): Policy {
  const either = [began, now];
  const rank = Math.min(...either.map(({ retire }) => destructiveness.indexOf(retire)));
  return {
    ...began,
    retire: destructiveness[rank] ?? began.retire,
    propagationMs: Math.max(began.propagationMs, now.propagationMs),
    drain: {
      atLeastMs: Math.max(began.drain.atLeastMs, now.drain.atLeastMs),
      quietForMs: Math.max(began.drain.quietForMs, now.drain.quietForMs),
      evidence: either.some(({ drain }) => drain.evidence === "required") ? "required" : "advisory",
    },
    soakMs: Math.max(began.soakMs, now.soakMs),
    deletionWindowDays: Math.max(began.deletionWindowDays, now.deletionWindowDays),
    approval: either.some(({ approval }) => approval === "revoke") ? "revoke" : "none",
  };
}
