/** Looks: what the workflow asks to see, and nothing more. */
import { canonicalHash } from "../record/canonical.ts";
import type { Pacer } from "./pacer.ts";
import type { Ports } from "../ports.ts";
import { tagNames } from "../workflow/model/tag-names.ts";
import { subjectOfLook } from "../workflow/safety/sights.ts";
import { heardForMs } from "../workflow/revoke/watched.ts";
import type { LastUse, Look, ManagedKey, Seen, Sight, Tags } from "../workflow/model/types.ts";

/** What looking takes: the two ports that show KMS, and the pace at which they may be asked. */
export type Eyes = Pick<Ports, "keys" | "discovery" | "table" | "clock"> & {
  pacer: Pacer;
  /** When the run begins to leave off: nothing more is looked at. */
  stopAtMs: number;
};

/** Everything seen before, and these, as far as there is time. */
export async function gather(
  eyes: Eyes,
  record: ManagedKey,
  seen: Seen,
  looks: Look[],
): Promise<Seen> {
  const wanted = new Map(looks.map((look) => [`${look.kind} ${subjectOfLook(look)}`, look]));
  let all = seen;
  for (const look of wanted.values()) {
    if (eyes.clock.nowMs() >= eyes.stopAtMs) return all;
    const sight = await lookAt(eyes, record, look);
    all = { ...all, [look.kind]: { ...all[look.kind], [subjectOfLook(look)]: sight } };
  }
  return all;
}

async function lookAt(eyes: Eyes, record: ManagedKey, look: Look): Promise<Sight<unknown>> {
  const { keys, discovery, pacer, stopAtMs } = eyes;
  await pacer.take(operationOf[look.kind], stopAtMs);
  switch (look.kind) {
    case "key":
      return keys.describe(look.key);
    case "aliases":
      return keys.aliasesOf(look.keyId);
    case "policy":
      return keys.policyOf(look.keyId);
    case "tags":
      return keys.tagsOf(look.keyId);
    case "grants":
      return keys.grantsOf(look.keyId);
    case "last-use":
      return withHash(look.keyId, await keys.lastUseOf(look.keyId));
    case "successors": {
      const tags = { ...ours(record), [tagNames.rotation]: look.rotationId };
      const found = await discovery.keysTagged(tags);
      return { kind: "seen", value: found.map(({ keyId }) => keyId) };
    }
    case "watch":
      return heard(eyes, look.keyId);
    case "lineage":
      return { kind: "seen", value: await discovery.keysTagged(ours(record)) };
  }
}

/** Where nothing came for long, a call is made whose event will come if any does. */
async function heard({ table, keys, clock }: Eyes, keyId: string): Promise<Seen["watch"][string]> {
  const heardAtMs = await table.heardAtMs();
  const isFresh = heardAtMs !== undefined && clock.nowMs() - heardAtMs < heardForMs;
  if (!isFresh) await keys.canary(keyId);
  return heardAtMs === undefined ? { kind: "absent" } : { kind: "seen", value: { heardAtMs } };
}

function ours({ owner, alias }: ManagedKey): Tags {
  return { [tagNames.alias]: alias, [tagNames.owner]: owner };
}

/** What an approval is bound to: this key, and just this answer. */
function withHash(keyId: string, sight: Sight<LastUse>): Sight<{ lastUse: LastUse; hash: string }> {
  if (sight.kind !== "seen") return sight;
  const lastUse = sight.value;
  const hash = canonicalHash({ keyId, lastUse });
  return { kind: "seen", value: { lastUse, hash } };
}

const operationOf: Record<Look["kind"], string> = {
  key: "DescribeKey",
  aliases: "ListAliases",
  policy: "GetKeyPolicy",
  tags: "ListResourceTags",
  grants: "ListGrants",
  "last-use": "GetKeyLastUsage",
  successors: "GetResources",
  lineage: "GetResources",
  watch: "DescribeKey",
};
