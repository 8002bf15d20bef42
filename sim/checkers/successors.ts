/** I4: one rotation, one successor. */
import { keyIdIn, nameOf, type Checker, type Facts } from "./checker.ts";

/** `askedAtMs`: when a person last asked something of the managed key. */
export function successors(facts: Facts, askedAtMs: ReadonlyMap<string, number>): Checker {
  const { kms, ours, policies, hands, violated } = facts;
  const servesSince = new Map<string, { keyId: string; atMs: number }>();
  return {
    onChange({ operation, input, principalArn, atMs }) {
      if (operation !== "UpdateAlias") return;
      const alias = String(input.AliasName);
      const keyId = keyIdIn(input);
      const before = servesSince.get(alias);
      if (before?.keyId === keyId) return;
      servesSince.set(alias, { keyId, atMs });
      if (principalArn !== ours || before === undefined) return;
      const periodMs = policies.get(alias)?.cryptoperiodMs ?? 0;
      const sinceMs = before.atMs - periodMs;
      const isAsked = (askedAtMs.get(alias) ?? -Infinity) >= sinceMs;
      const isMeddledWith = [alias, keyId, before.keyId].some((what) =>
        hands.byOthersSince(what, sinceMs),
      );
      if (atMs - before.atMs > periodMs / 3 || isAsked || isMeddledWith) return;
      const minutes = Math.round((atMs - before.atMs) / 60_000);
      const names = [before.keyId, keyId].map((id) => nameOf(kms.keys.get(id), id)).join(", then ");
      const what = `${alias}: ${names}, which nobody asked for, ${minutes} minutes later`;
      violated("I4 one rotation, one successor", what);
    },
  };
}
