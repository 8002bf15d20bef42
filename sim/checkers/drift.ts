/** What others did to an alias is found and told; it is not undone, or built upon, in silence. */
import { keyIdIn, knowledgeMs, nameOf, type Checker, type Facts } from "./checker.ts";

/** `serves`: the key that the rotator has on record as the one that serves. */
export function drift(facts: Facts, serves: (alias: string) => string | undefined): Checker {
  const { kms, ours, violated } = facts;
  /** Where each alias was put, and by whom, since when. */
  const moved = new Map<string, { by: string; atMs: number }>();
  /** The key on which it was by our doing, or from the beginning. */
  const expected = new Map<string, string>();
  return {
    beforeChange(operation, input, by) {
      if (operation !== "UpdateAlias" || by !== ours) return;
      const alias = String(input.AliasName);
      const there = kms.aliases.get(alias)?.keyId ?? "";
      const last = moved.get(alias);
      const rightful = [expected.get(alias), serves(alias), keyIdIn(input)];
      const isForeign = !rightful.includes(there);
      if (!isForeign || last === undefined || facts.nowMs() - last.atMs < knowledgeMs) return;
      const minutes = Math.round((facts.nowMs() - last.atMs) / 60_000);
      const what = `${alias}, which ${last.by} moved ${minutes} minutes before, is moved on to ${nameOf(kms.keys.get(keyIdIn(input)), keyIdIn(input))}`;
      violated("drift is never overwritten", what);
    },
    onChange({ operation, input, principalArn: by, atMs }) {
      if (operation !== "UpdateAlias" && operation !== "CreateAlias") return;
      const alias = String(input.AliasName);
      moved.set(alias, { by, atMs });
      if (by === ours || operation === "CreateAlias") expected.set(alias, keyIdIn(input));
    },
  };
}
