/** Looks: what the workflow asks to see, and nothing more. */
import { canonicalHash } from "../record/canonical.ts";
import type { Pacer } from "./pacer.ts";
import type { Ports } from "../ports.ts";
import { tagNames } from "../workflow/model/tag-names.ts";
import { subjectOfRead } from "../workflow/safety/observations.ts";
import { heardForMs } from "../workflow/revoke/watched.ts";
import type {
  LastUse,
  KmsRead,
  ManagedKey,
  ObservedState,
  Observation,
  Tags,
} from "../workflow/model/types.ts";

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
  observed: ObservedState,
  reads: KmsRead[],
): Promise<ObservedState> {
  const wanted = new Map(reads.map((read) => [`${read.kind} ${subjectOfRead(read)}`, read]));
  let all = observed;
  for (const read of wanted.values()) {
    if (eyes.clock.nowMs() >= eyes.stopAtMs) return all;
    const observation = await readFrom(eyes, record, read);
    all = { ...all, [read.kind]: { ...all[read.kind], [subjectOfRead(read)]: observation } };
  }
  return all;
}

async function readFrom(
  eyes: Eyes,
  record: ManagedKey,
  read: KmsRead,
): Promise<Observation<unknown>> {
  const { keys, discovery, pacer, stopAtMs } = eyes;
  await pacer.take(operationOf[read.kind], stopAtMs);
  switch (read.kind) {
    case "key":
      return keys.describe(read.key);
    case "aliases":
      return keys.aliasesOf(read.keyId);
    case "policy":
      return keys.policyOf(read.keyId);
    case "tags":
      return keys.tagsOf(read.keyId);
    case "grants":
      return keys.grantsOf(read.keyId);
    case "last-use":
      return withHash(read.keyId, await keys.lastUseOf(read.keyId));
    case "successors": {
      const tags = { ...ours(record), [tagNames.rotation]: read.rotationId };
      const found = await discovery.keysTagged(tags);
      return { kind: "observed", value: found.map(({ keyId }) => keyId) };
    }
    case "watch":
      return heard(eyes, read.keyId);
    case "lineage":
      return { kind: "observed", value: await discovery.keysTagged(ours(record)) };
  }
}

/** Where nothing came for long, a call is made whose event will come if any does. */
async function heard(
  { table, keys, clock }: Eyes,
  keyId: string,
): Promise<ObservedState["watch"][string]> {
  const heardAtMs = await table.heardAtMs();
  const isFresh = heardAtMs !== undefined && clock.nowMs() - heardAtMs < heardForMs;
  if (!isFresh) await keys.canary(keyId);
  return heardAtMs === undefined ? { kind: "absent" } : { kind: "observed", value: { heardAtMs } };
}

function ours({ owner, alias }: ManagedKey): Tags {
  return { [tagNames.alias]: alias, [tagNames.owner]: owner };
}

/** What an approval is bound to: this key, and just this answer. */
function withHash(
  keyId: string,
  observation: Observation<LastUse>,
): Observation<{ lastUse: LastUse; hash: string }> {
  if (observation.kind !== "observed") return observation;
  const lastUse = observation.value;
  const hash = canonicalHash({ keyId, lastUse });
  return { kind: "observed", value: { lastUse, hash } };
}

const operationOf: Record<KmsRead["kind"], string> = {
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
