/** The rotator neither undoes nor builds on an external alias move without a finding. */
import { keyIdIn, knowledgeMs, nameOf, type Checker, type Facts } from "./checker.ts";

/** `serves`: the active key of the alias on the rotator's record. */
export function drift(facts: Facts, serves: (alias: string) => string | undefined): Checker {
  const { kms, ours, violated } = facts;
  /** Who moved, created or deleted each alias last, and when. */
  const moved = new Map<string, { by: string; atMs: number }>();
  /** The key to which the rotator moved it last, or on which it began. */
  const expected = new Map<string, string>();
  return {
    beforeChange(operation, input, by) {
      if (operation !== "UpdateAlias" || by !== ours) return;
      const alias = String(input.AliasName);
      const there = kms.aliases.get(alias)?.keyId ?? "";
      const last = moved.get(alias);
      const rightful = [expected.get(alias), serves(alias), keyIdIn(input)];
      const isExternal = !rightful.includes(there);
      if (!isExternal || last === undefined || facts.nowMs() - last.atMs < knowledgeMs) return;
      const minutes = Math.round((facts.nowMs() - last.atMs) / 60_000);
      const what = `${alias}, which ${last.by} moved ${minutes} minutes before, moves on to ${nameOf(kms.keys.get(keyIdIn(input)), keyIdIn(input))}`;
      violated("drift is never overwritten", what);
    },
    onChange({ operation, input, principalArn: by, atMs }) {
      if (!operation.endsWith("Alias")) return;
      const alias = String(input.AliasName);
      moved.set(alias, { by, atMs });
      if (operation === "DeleteAlias") return;
      if (by === ours || operation === "CreateAlias") expected.set(alias, keyIdIn(input));
    },
  };
}
