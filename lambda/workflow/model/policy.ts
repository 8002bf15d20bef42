/** A policy that changes while a rotation is open. */
import { dayMs, shortest } from "./limits.ts";
import { rotationBeforeActivation } from "./record.ts";
import type { Home, ManagedKey, Policy } from "./types.ts";

/** Field by field: what DynamoDB gives back need not be in the order it was put in. */
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

/** The alias set is frozen while a rotation has yet to move it. */
export function sameHome(record: ManagedKey, home: Home): boolean {
  if (!samePolicy(record.policy, home.policy)) return false;
  if (!sameAliases(record.dependents, home.dependents)) return false;
  return (
    sameAliases(record.aliases, home.aliases) || rotationBeforeActivation(record) !== undefined
  );
}

/** Whichever of the two asks a person the earlier. */
function earliest(a: Policy["approval"], b: Policy["approval"]): Policy["approval"] {
  if (a === "revoke" || b === "revoke") return "revoke";
  return a === "delete" || b === "delete" ? "delete" : "none";
}

/**
 * For how long KMS itself holds back what the role would disable or delete: in whole days, as
 * `kms:TrailingDaysWithoutKeyUsage` counts them; not at all where a policy goes on without evidence.
 */
export function provenQuietDays({ drain }: Pick<Policy, "drain">): number {
  return drain.evidence === "required" ? Math.floor(drain.quietForMs / dayMs) : 0;
}

/** A version is compromised: waits are as short as KMS allows; what proves it quiet is not. */
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
    approval: earliest(began.approval, now.approval),
    acknowledgeWithinMs: Math.max(began.acknowledgeWithinMs, now.acknowledgeWithinMs),
  };
}
