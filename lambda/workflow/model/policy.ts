/** Policies: comparing them, and changes while a rotation is open. */
import { dayMs, shortest } from "./limits.ts";
import { rotationBeforeActivation } from "./record.ts";
import type { Home, ManagedKey, Policy } from "./types.ts";

/** Compares field by field: DynamoDB need not return fields in the order they were written. */
export function samePolicy(a: Policy, b: Policy): boolean {
  return (
    a.name === b.name &&
    a.cryptoperiodMs === b.cryptoperiodMs &&
    a.leadMs === b.leadMs &&
    a.propagationMs === b.propagationMs &&
    a.originate === b.originate &&
    a.drain.atLeastMs === b.drain.atLeastMs &&
    a.drain.quietForMs === b.drain.quietForMs &&
    a.drain.evidence === b.drain.evidence &&
    a.retire === b.retire &&
    a.soakMs === b.soakMs &&
    a.deletionWindowDays === b.deletionWindowDays &&
    a.approval === b.approval &&
    a.acknowledgeWithinMs === b.acknowledgeWithinMs
  );
}

export function sameAliases(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((alias, index) => alias === b[index]);
}

/** The alias set is frozen until an open rotation has moved it. */
export function sameHome(record: ManagedKey, home: Home): boolean {
  if (!samePolicy(record.policy, home.policy)) return false;
  if (!sameAliases(record.dependents, home.dependents)) return false;
  return (
    sameAliases(record.aliases, home.aliases) || rotationBeforeActivation(record) !== undefined
  );
}

/** The one of the two that requires the earlier approval. */
function earliest(a: Policy["approval"], b: Policy["approval"]): Policy["approval"] {
  if (a === "revoke" || b === "revoke") return "revoke";
  return a === "delete" || b === "delete" ? "delete" : "none";
}

/**
 * How long after a use the role's policy forbids to disable or delete a key: in whole days, as
 * `kms:TrailingDaysWithoutKeyUsage` counts them; 0 where the policy requires no evidence.
 */
export function provenQuietDays({ drain }: Pick<Policy, "drain">): number {
  return drain.evidence === "required" ? Math.floor(drain.quietForMs / dayMs) : 0;
}

/** For a compromised version: waits as short as KMS allows; the evidence stays the same. */
export function hurried(policy: Policy): Policy {
  const { drain } = policy;
  return {
    ...policy,
    propagationMs: Math.min(policy.propagationMs, shortest.propagationMs),
    drain: { ...drain, atLeastMs: Math.min(drain.atLeastMs, shortest.drainMs) },
  };
}

const destructiveness: Policy["retire"][] = ["retain", "disable", "delete"];

/**
 * The policy of a rotation that began under another one: of each pair, the value that destroys less
 * or waits longer. The rest of the new policy applies to the next rotation.
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
    approval: earliest(began.approval, now.approval),
    acknowledgeWithinMs: Math.max(began.acknowledgeWithinMs, now.acknowledgeWithinMs),
  };
}
