/** The progress of keyturn by its table, for the checker of liveness. */
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import type { Accounts } from "../checkers/liveness.ts";
import type { Surroundings } from "./rotator.ts";

const hourMs = 3_600_000;

/** Findings that only report a delay give no reason for it. */
const noReason = new Set([
  "OVERDUE",
  "STUCK",
  // It delays nothing.
  "ROTATION_NOT_CARRIED",
  // These concern an old version: the next rotation goes on.
  "APPROVAL_REQUIRED",
  "GRANT_HOLDS_OLD_VERSION",
  "NEVER_DELETED",
  "CALLERS_UNSEEN",
  "REFUSALS_NOT_WATCHED",
  "REFUSED_USE",
  "ORIGINATION_REFUSED",
  "REFUSED_SINCE_ACTIVATION",
  "READ_BY_ALIAS",
]);

/** `result`: keys that a finding outside of any record reports. */
export function keyturnAccounts(
  { table, kms, policies, engine }: Pick<Surroundings, "table" | "kms" | "policies" | "engine">,
  result: Set<string>,
  slackMs: number,
): Accounts {
  const recordOf = (alias: string): ManagedKey | undefined =>
    (table.stored(alias) as { record: ManagedKey } | undefined)?.record;
  const isHeld = ({ findings, holds }: ManagedKey): boolean =>
    holds.length > 0 || findings.some(({ code }) => !noReason.has(code));
  return {
    activeSinceMs: (alias, keyId) => {
      const version = recordOf(alias)?.versions.find((one) => one.keyId === keyId);
      return version?.activatedAtMs ?? kms.world.keys.get(keyId)?.createdAtMs ?? 0;
    },
    serves: (alias) => recordOf(alias)?.versions.find(({ state }) => state === "active")?.keyId,
    isHeld: (alias) => {
      const record = recordOf(alias);
      return record !== undefined && isHeld(record);
    },
    isKnown: (keyId) => {
      if (result.has(keyId)) return true;
      // Others may have taken its tags off.
      return [...policies.keys()].some((alias) => {
        const record = recordOf(alias);
        return record !== undefined && keysManaged(record).includes(keyId);
      });
    },
    unfinished: () =>
      [...policies.keys()].flatMap((alias) => {
        const record = recordOf(alias);
        const early = record?.rotations.find(({ step }) => step !== "drain" && step !== "revoke");
        if (record === undefined || early === undefined || isHeld(record)) return [];
        const forMs = engine.nowMs() - early.openedAtMs;
        if (forMs < slackMs) return [];
        return [`${alias}: at ${early.step} since ${Math.round(forMs / hourMs)} hours`];
      }),
  };
}

/** A version that never became active is managed only by the rotation that is to activate it. */
function keysManaged({ versions, extras, rotations }: ManagedKey): string[] {
  const awaited = rotations.map(({ to }) => versions.find(({ number }) => number === to)?.keyId);
  const kept = versions.filter(
    ({ state, keyId }) => state !== "pending-activation" || awaited.includes(keyId),
  );
  return [...kept, ...extras].map(({ keyId }) => keyId);
}
