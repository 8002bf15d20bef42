/** I4: one rotation, one successor. */
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import { keyIdIn, nameOf, type Checker, type Facts } from "./checker.ts";

/** `askedAtMs`: the time of the last request for the managed key. */
export function successors(facts: Facts, askedAtMs: ReadonlyMap<string, number>): Checker {
  const { kms, ours, policies, interventions, violated } = facts;
  const activeSince = new Map<string, { keyId: string; atMs: number }>();
  const firstActiveAtMs = new Map<string, number>();
  return {
    onChange({ operation, input, principalArn, atMs }) {
      // CreateAlias counts too: the version from before keyturn may return, with its old age.
      if (operation !== "UpdateAlias" && operation !== "CreateAlias") return;
      const alias = String(input.AliasName);
      const keyId = keyIdIn(input);
      const before = activeSince.get(alias);
      if (before?.keyId === keyId) return;
      // A version that returns, perhaps hours after the request, keeps its age.
      const sinceFirstMs = firstActiveAtMs.get(keyId) ?? atMs;
      firstActiveAtMs.set(keyId, sinceFirstMs);
      activeSince.set(alias, { keyId, atMs: sinceFirstMs });
      if (principalArn !== ours || before === undefined) return;
      const periodMs = policies.get(alias)?.cryptoperiodMs ?? 0;
      const sinceMs = before.atMs - periodMs;
      const isAsked = (askedAtMs.get(alias) ?? -Infinity) >= sinceMs;
      const isChangedByOthers = [alias, keyId, before.keyId].some((what) =>
        interventions.byOthersSince(what, sinceMs),
      );
      if (atMs - before.atMs > periodMs / 3 || isAsked || isChangedByOthers) return;
      const minutes = Math.round((atMs - before.atMs) / 60_000);
      const names = [before.keyId, keyId].map((id) => nameOf(kms.keys.get(id), id)).join(", then ");
      const what = `${alias}: ${names}, without a request, ${minutes} minutes later`;
      violated("I4 one rotation, one successor", what);
    },
  };
}

/** No two versions on a record were made by the same rotation. */
export function versionsOfOneRotation({ kms, interventions, violated }: Facts): Checker {
  /** Undefined if another principal may have written the tag. */
  const madeBy = (keyId: string): string | undefined =>
    interventions.byOthersSince(`tags of ${keyId}`, 0)
      ? undefined
      : kms.keys.get(keyId)?.tags.get(tagNames.rotation);
  return {
    onWrite(before, { record: { alias, versions } }) {
      if (versions.length === before?.record.versions.length) return;
      const rotations = versions
        .map(({ keyId }) => madeBy(keyId))
        .filter((rotation) => rotation !== undefined);
      if (new Set(rotations).size === rotations.length) return;
      violated("I4 one rotation, one successor", `${alias}: one rotation made two of its versions`);
    },
  };
}
