/** I7, and no orphan: after the faults, all work gets done or a finding reports why not. */
import { nameOf, type Checker, type Facts } from "./checker.ts";

export type Accounts = {
  /** Since when the key is active, by the rotator's own record. */
  activeSinceMs: (alias: string, keyId: string) => number;
  /** The active key on its record, if it keeps a record. */
  serves: (alias: string) => string | undefined;
  /** Whether a finding reports that the key is held, or an operator asked for it. */
  isHeld: (alias: string) => boolean;
  /** Whether the rotator has the key on record, or has reported it. */
  isKnown: (keyId: string) => boolean;
  /** Rotations that have begun and not ended, although nothing holds them. */
  unfinished: () => string[];
};

export function liveness(
  facts: Facts,
  accounts: Accounts,
  { slackMs, orphanSlackMs }: { slackMs: number; orphanSlackMs: number },
): Checker {
  const { kms, policies, ours, violated } = facts;
  const made = new Set<string>();
  return {
    onChange({ operation, principalArn, answer }) {
      if (operation === "CreateKey" && principalArn === ours) {
        made.add((answer.KeyMetadata as { KeyId: string }).KeyId);
      }
    },
    atEnd() {
      for (const [alias, policy] of policies) {
        const keyId = kms.aliases.get(alias)?.keyId;
        if (keyId === undefined || accounts.isHeld(alias)) continue;
        const overMs =
          facts.nowMs() - accounts.activeSinceMs(alias, keyId) - policy.cryptoperiodMs - slackMs;
        if (overMs <= 0) continue;
        const hours = Math.round(overMs / 3_600_000);
        violated(
          "I7 due work gets done",
          `${alias} is overdue by ${hours} hours without a finding`,
        );
      }
      for (const what of accounts.unfinished()) violated("I7 due work gets done", what);
      for (const keyId of made) {
        const key = kms.keys.get(keyId);
        if (key === undefined || key.aliasNames.size > 0 || accounts.isKnown(keyId)) continue;
        if (key.state !== "Enabled" || key.createdAtMs > facts.nowMs() - orphanSlackMs) continue;
        violated(
          "no orphan",
          `${nameOf(key, keyId)} is behind no alias, on no record, and in no finding`,
        );
      }
    },
  };
}
