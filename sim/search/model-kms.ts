/** The minimum of KMS, without compare-and-swap: reads, and calls that land. */
import type {
  Call,
  Key,
  LastUse,
  KmsRead,
  ObservedState,
  Observation,
  Refusals,
  Tags,
  Version,
} from "../../lambda/workflow/model/types.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import { subjectOfRead } from "../../lambda/workflow/safety/observations.ts";
import { lastUseLagMs } from "../../lambda/workflow/model/limits.ts";
import { alias, dayMs } from "./fixture.ts";
import { shownOf, type ModelKey, type ModelKms, type Refused, type SearchState } from "./state.ts";

export const shape = {
  spec: "SYMMETRIC_DEFAULT",
  usage: "ENCRYPT_DECRYPT",
  origin: "AWS_KMS",
  multiRegion: false,
};

export function keyNamed({ keys }: ModelKms, id: string): ModelKey | undefined {
  return keys.find((key) => key.id === id);
}

export function withKey(kms: ModelKms, changed: ModelKey): ModelKms {
  return { ...kms, keys: kms.keys.map((key) => (key.id === changed.id ? changed : key)) };
}

/** The earlier observations, with these reads added. */
export function observeAll(
  state: Pick<SearchState, "kms" | "lag" | "refused">,
  nowMs: number,
  observed: ObservedState,
  reads: KmsRead[],
): ObservedState {
  let all = observed;
  for (const read of reads) {
    const observation =
      read.kind === "refusals"
        ? observedAs(refusalsIn(state, nowMs))
        : observe(shownOf(state), nowMs, read);
    all = { ...all, [read.kind]: { ...all[read.kind], [subjectOfRead(read)]: observation } };
  }
  return all;
}

type OfKms = Exclude<KmsRead, { kind: "refusals" }>;

function observe(kms: ModelKms, nowMs: number, read: OfKms): Observation<unknown> {
  if (read.kind === "successors") {
    const found = kms.keys.filter(({ tags }) => tags[tagNames.rotation] === read.rotationId);
    return observedAs(found.map(({ id }) => id));
  }
  if (read.kind === "lineage") {
    const ours = kms.keys.filter(({ tags }) => tags[tagNames.alias] === read.alias);
    return observedAs(ours.map(({ id, tags }) => ({ keyId: id, tags })));
  }
  const named = read.kind === "key" ? read.key : read.keyId;
  const key = keyNamed(kms, named === alias ? kms.target : named);
  if (key === undefined) return { kind: "absent" };
  switch (read.kind) {
    case "key":
      return observedAs(described(key));
    case "aliases":
      return observedAs(kms.target === key.id ? [alias] : []);
    case "policy":
      return observedAs({ document: "{}", hash: "policy" });
    case "tags":
      return observedAs(key.tags);
    case "grants":
      return observedAs([]);
    case "last-use":
      return observedAs({ lastUse: lastUseInModel(key, nowMs), hash: evidenceOf(key, nowMs) });
    case "public-key":
      return observedAs("");
    case "auto-rotation":
      return observedAs(false);
    case "watch":
      return { kind: "absent" };
    case "refusals-watch":
      return observedAs({
        ...{ revision: 1, heardAtMs: nowMs, sinceMs: 0, unattributed: 0, storedAtMs: 0 },
      });
  }
}

/** Every caller is refused again and again: the last time is now. */
function refusalsIn({ refused }: Pick<SearchState, "refused">, nowMs: number): Refusals {
  const on: Refusals["on"] = {};
  for (const { keyId, caller } of refused) {
    const { uses } = (on[keyId] ??= { uses: {} });
    const times = { firstAtMs: nowMs, lastAtMs: nowMs, storedAtMs: nowMs, count: 1 };
    uses[caller] = { principal: caller, operation: "Decrypt", error: "AccessDenied", ...times };
  }
  return { revision: refused.length, on };
}

/** The ids by which an operator accepts them (`lambda/workflow/safety/refusals.ts`). */
export function idsOf(refused: readonly Refused[], version: Version): string[] {
  return refused
    .filter(({ keyId }) => keyId === version.keyId)
    .map(({ caller }) => `refused:${version.number}|${caller}|Decrypt|AccessDenied`);
}

function observedAs<T>(value: T): Observation<T> {
  return { kind: "observed", value };
}

/** The lag hides a recent use. A use from before the search began was long ago. */
export function lastUseInModel({ usedAtMs, createdAtMs }: ModelKey, nowMs: number): LastUse {
  return usedAtMs > 0 && usedAtMs <= nowMs - lastUseLagMs
    ? { kind: "used", atMs: usedAtMs, operation: "Decrypt" }
    : { kind: "never", sinceMs: createdAtMs };
}

/** What an approval names: the time of the last use that KMS shows. */
export function evidenceOf(key: ModelKey, nowMs: number): string {
  const lastUse = lastUseInModel(key, nowMs);
  return lastUse.kind === "used" ? String(lastUse.atMs) : "never";
}

function described({ id, state, deletionAtMs, createdAtMs }: ModelKey): Key {
  return {
    ...shape,
    keyId: id,
    arn: id,
    state,
    managedBy: "CUSTOMER",
    description: "",
    createdAtMs,
    ...(deletionAtMs === undefined ? {} : { deletionAtMs }),
  };
}

/** The outcome of a call: a new KMS, or why it had no effect. */
export type Landing =
  | { kind: "done"; kms: ModelKms; made?: ModelKey; deletionAtMs?: number }
  | { kind: "refused"; refusal: "InvalidState" | "NotFound" | "Throttled" };

export function land(kms: ModelKms, call: Call, nowMs: number): Landing {
  if (call.kind === "CreateKey") return create(kms, call.tags, nowMs);
  const key = keyNamed(kms, call.keyId);
  if (key === undefined) return { kind: "refused", refusal: "NotFound" };
  const isPending = key.state === "PendingDeletion";
  const refused = { kind: "refused", refusal: "InvalidState" } as const;
  const by = "us";
  switch (call.kind) {
    case "UpdateAlias":
      if (isPending) return refused;
      return { kind: "done", kms: { ...withKey(kms, { ...key, served: true }), target: key.id } };
    case "TagResource":
      return isPending ? refused : done(kms, { ...key, tags: { ...key.tags, ...call.tags } });
    case "UntagResource": {
      const kept = Object.entries(key.tags).filter(([name]) => !call.names.includes(name));
      return isPending ? refused : done(kms, { ...key, tags: Object.fromEntries(kept) });
    }
    case "EnableKey":
      return isPending ? refused : done(kms, { ...key, by, state: "Enabled" });
    case "DisableKey":
      return isPending ? refused : done(kms, { ...key, by, state: "Disabled" });
    case "CancelKeyDeletion":
      if (!isPending) return refused;
      return done(kms, { ...key, by, state: "Disabled", deletionAtMs: undefined });
    case "ScheduleKeyDeletion": {
      if (isPending) return refused;
      const deletionAtMs = nowMs + call.windowDays * dayMs;
      const pending = { ...key, by, state: "PendingDeletion", deletionAtMs } as const;
      return { kind: "done", kms: withKey(kms, pending), deletionAtMs };
    }
    case "CreateGrant":
      return { kind: "done", kms };
  }
}

function done(kms: ModelKms, changed: ModelKey): Landing {
  return { kind: "done", kms: withKey(kms, changed) };
}

function create(kms: ModelKms, tags: Tags, nowMs: number): Landing {
  const made: ModelKey = {
    id: `key-${kms.made + 1}`,
    state: "Enabled",
    by: "us",
    deletionAtMs: undefined,
    createdAtMs: nowMs,
    tags,
    usedAtMs: 0,
    served: false,
  };
  return { kind: "done", kms: { ...kms, keys: [...kms.keys, made], made: kms.made + 1 }, made };
}
