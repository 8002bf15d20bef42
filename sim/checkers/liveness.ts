/** I7, and no orphan: once the faults are over, everything gets done or a person is told why not. */
import { nameOf, type Checker, type Facts } from "./checker.ts";

export type Accounts = {
  /** Since when the key has served, as the rotator may reckon. */
  activeSinceMs: (alias: string, keyId: string) => number;
  /** The key that it has on record as the one that serves, where it keeps a record. */
  serves: (alias: string) => string | undefined;
  /** Whether a person was told that nothing moves, or asked that nothing does. */
  isHeld: (alias: string) => boolean;
  /** Whether the rotator knows of this key, or has told a person of it. */
  isKnown: (keyId: string) => boolean;
  /** What has begun and not ended, though nothing holds it up. */
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
          "I7 what is due gets done",
          `${alias} is overdue by ${hours} hours, and no one knows`,
        );
      }
      for (const what of accounts.unfinished()) violated("I7 what is due gets done", what);
      for (const keyId of made) {
        const key = kms.keys.get(keyId);
        if (key === undefined || key.aliasNames.size > 0 || accounts.isKnown(keyId)) continue;
        if (key.state !== "Enabled" || key.createdAtMs > facts.nowMs() - orphanSlackMs) continue;
        violated(
          "no orphan",
          `${nameOf(key, keyId)} was made, is behind no alias, and nobody knows of it`,
        );
      }
    },
  };
}
