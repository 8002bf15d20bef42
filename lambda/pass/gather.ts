/** Makes the reads that the workflow asks for. */
import { canonicalHash } from "../record/canonical.ts";
import { canaryMark, refusalsMark } from "../inbound/canary.ts";
import type { Pacer } from "./pacer.ts";
import type { Ports } from "../ports.ts";
import { tagNames } from "../workflow/model/tag-names.ts";
import { subjectOfRead } from "../workflow/safety/observations.ts";
import { canaryAfterMs } from "../workflow/revoke/collected.ts";
import { heardForMs } from "../workflow/revoke/watched.ts";
import type {
  LastUse,
  KmsRead,
  ManagedKey,
  ObservedState,
  Observation,
  Tags,
} from "../workflow/model/types.ts";

/** The ports and the pacer for reads. */
export type Eyes = Pick<Ports, "keys" | "discovery" | "table" | "clock"> & {
  pacer: Pacer;
  /** When the run begins to stop: no further reads. */
  stopAtMs: number;
};

/** The earlier observations and these, as far as time allows. */
export async function gather(
  source: Eyes,
  record: ManagedKey,
  observed: ObservedState,
  reads: KmsRead[],
): Promise<ObservedState> {
  const wanted = new Map(reads.map((read) => [`${read.kind} ${subjectOfRead(read)}`, read]));
  let all = observed;
  for (const read of wanted.values()) {
    if (source.clock.nowMs() >= source.stopAtMs) return all;
    const observation = await readFrom(source, record, read);
    all = { ...all, [read.kind]: { ...all[read.kind], [subjectOfRead(read)]: observation } };
  }
  return all;
}

async function readFrom(
  source: Eyes,
  record: ManagedKey,
  read: KmsRead,
): Promise<Observation<unknown>> {
  const { keys, discovery, pacer, stopAtMs } = source;
  await pacer.take(operationOf[read.kind] ?? "", stopAtMs);
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
    case "public-key":
      return keys.publicKeyOf(read.keyId);
    case "auto-rotation":
      return keys.rotatesItself(read.keyId);
    case "successors": {
      const tags = { ...ours(record), [tagNames.rotation]: read.rotationId };
      const found = await discovery.keysTagged(tags);
      return { kind: "observed", value: found.map(({ keyId }) => keyId) };
    }
    case "watch":
      return heard(source, read.keyId);
    case "refusals":
      return observed(await source.table.refusals(read.alias));
    case "refusals-watch":
      return collecting(source, read.keyId);
    case "lineage":
      return { kind: "observed", value: await discovery.keysTagged(ours(record)) };
  }
}

/** Sends a canary if no event arrived recently. */
async function heard(
  { table, keys, clock }: Eyes,
  keyId: string,
): Promise<ObservedState["watch"][string]> {
  const heardAtMs = await table.heardAtMs();
  const isFresh = heardAtMs !== undefined && clock.nowMs() - heardAtMs < heardForMs;
  if (!isFresh) await keys.canary(keyId, canaryMark);
  return observed(heardAtMs === undefined ? undefined : { heardAtMs });
}

/** Sends a canary through the queue of refused uses if the last one will be too old at the next pass. */
async function collecting(
  { table, keys, clock }: Eyes,
  keyId: string,
): Promise<ObservedState["refusals-watch"][string]> {
  const watch = await table.refusalsWatch();
  const isFresh = watch !== undefined && clock.nowMs() - watch.heardAtMs < canaryAfterMs;
  if (!isFresh) await keys.canary(keyId, refusalsMark);
  return observed(watch);
}

function observed<T>(value: T | undefined): Observation<T> {
  return value === undefined ? { kind: "absent" } : { kind: "observed", value };
}

function ours({ owner, alias }: ManagedKey): Tags {
  return { [tagNames.alias]: alias, [tagNames.owner]: owner };
}

/** Adds the hash that binds an approval to this key and this answer. */
function withHash(
  keyId: string,
  observation: Observation<LastUse>,
): Observation<{ lastUse: LastUse; hash: string }> {
  if (observation.kind !== "observed") return observation;
  const lastUse = observation.value;
  const hash = canonicalHash({ keyId, lastUse });
  return { kind: "observed", value: { lastUse, hash } };
}

/** The reads whose quota is small enough to spend; the pacer lets the others pass. */
const operationOf: Partial<Record<KmsRead["kind"], string>> = {
  aliases: "ListAliases",
  grants: "ListGrants",
  "last-use": "GetKeyLastUsage",
};
