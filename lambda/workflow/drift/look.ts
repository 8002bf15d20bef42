/**
 * The look: keyturn reads every version that is not deleted, whatever its state, once a day and soon after an
 * event of a change by an external actor. It reports what differs from the record; the guard before each call
 * does not depend on it.
 */
import { lookEveryMs, settledAtMs } from "./look-times.ts";
import { lookAtVersion } from "./look-at-version.ts";
import { effects, isDanger, seenByLook, type Finding } from "../model/findings.ts";
import { consistencyMs, recheckMs } from "../model/limits.ts";
import { observationOf, stillToObserve, valueOf } from "../safety/observations.ts";
import { tagNames } from "../model/tag-names.ts";
import type {
  Decision,
  KmsRead,
  ManagedKey,
  ObservedState,
  Scene,
  Version,
} from "../model/types.ts";

/** The fields of a record that a look reads or writes. */
type Looked = Pick<ManagedKey, "alias" | "versions" | "rotations" | "findings"> &
  Pick<ManagedKey, "lookedAtMs" | "suspectedAtMs" | "authorizationChangedAtMs" | "reconciledAtMs"> &
  Pick<ManagedKey, "enrolledAtMs" | "unenrolment">;

/** When the next look is due; Infinity where none is. */
export function lookDueAtMs(record: Looked): number {
  const { enrolledAtMs, lookedAtMs, suspectedAtMs, findings } = record;
  const isOut = record.unenrolment !== undefined || record.reconciledAtMs !== undefined;
  if (enrolledAtMs === undefined || isOut) return Infinity;
  const settledMs = settledAtMs(record);
  const dailyMs = lookedAtMs === undefined ? 0 : lookedAtMs + lookEveryMs(record.alias);
  const openMs = findings.some(isAwaited) ? openDueAtMs(lookedAtMs, settledMs) : Infinity;
  return Math.max(
    settledMs,
    Math.min(dailyMs, suspectedDueAtMs(suspectedAtMs, lookedAtMs), openMs),
  );
}

/** At once, and again when reads show every change of before the suspicion. */
function suspectedDueAtMs(suspectedAtMs = Infinity, lookedAtMs = -Infinity): number {
  return lookedAtMs < suspectedAtMs ? suspectedAtMs : suspectedAtMs + consistencyMs;
}

/** An operator is to correct it: hourly, and once keyturn itself has changed something. */
function isAwaited({ code }: Finding): boolean {
  return seenByLook.includes(code) && (effects[code] === "halt" || isDanger({ code }));
}

function openDueAtMs(lookedAtMs = 0, settledMs: number): number {
  return lookedAtMs < settledMs ? settledMs : lookedAtMs + recheckMs;
}

export type LookDue = "no" | "daily" | "suspected";

/** While a finding of a look is open, every pass looks. */
export function isLookDue(record: Looked, nowMs: number): LookDue {
  const dueAtMs = lookDueAtMs(record);
  if (dueAtMs === Infinity || nowMs < settledAtMs(record)) return "no";
  if (record.findings.some(({ code }) => seenByLook.includes(code))) return "suspected";
  if (nowMs < dueAtMs) return "no";
  return record.suspectedAtMs === undefined ? "daily" : "suspected";
}

/**
 * What the look finds, or the reads that it needs. Three requests to KMS a version: the daily look takes tags from the
 * search, which costs none, and reads those of a key only where the search shows others than the record.
 */
export function decideLook(scene: Scene): Decision[] {
  const { record, observed, context } = scene;
  const due = isLookDue(record, context.nowMs);
  if (due === "no") return [];
  const first =
    stillToObserve(observed, lookReads(record)) ?? stillToObserve(observed, tagReads(scene, due));
  if (first !== undefined) return [due === "daily" ? { ...first, last: true } : first];
  return record.versions.flatMap((version) => lookAtVersion(scene, version));
}

/** The findings of earlier looks, where this pass has not made a look that could close them. */
export function stillOpen({ record, observed, context }: Scene): Finding[] {
  const isDone = isLookDue(record, context.nowMs) !== "no" && isComplete(record, observed);
  if (isDone || lookDueAtMs(record) === Infinity) return [];
  return record.findings.filter(({ code }) => seenByLook.includes(code));
}

function isComplete(record: Looked, observed: ObservedState): boolean {
  return lookReads(record).every((read) => observationOf(observed, read) !== undefined);
}

function lookReads({ alias, versions }: Looked): KmsRead[] {
  return [
    { kind: "lineage", alias },
    ...versions.flatMap(({ keyId }): KmsRead[] => [
      { kind: "key", key: keyId },
      { kind: "aliases", keyId },
      { kind: "policy", keyId },
    ]),
  ];
}

function tagReads({ record, observed }: Scene, due: LookDue): KmsRead[] {
  const found = valueOf(observed.lineage[record.alias]) ?? [];
  const isOdd = ({ keyId, label, number }: Version): boolean => {
    const tags = found.find((one) => one.keyId === keyId)?.tags;
    if (tags?.[tagNames.version] !== String(number)) return true;
    return label !== "unknown" && tags[tagNames.retired] !== label;
  };
  return record.versions
    .filter((version) => due === "suspected" || isOdd(version))
    .map(({ keyId }) => ({ kind: "tags", keyId }));
}

/** The record after a pass that has made every read of a look; `sinceMs`: the time of the oldest one. */
export function afterLook<R extends Looked>(
  record: R,
  observed: ObservedState,
  sinceMs: number,
): R {
  if (isLookDue(record, sinceMs) === "no" || !isComplete(record, observed)) return record;
  const { suspectedAtMs, ...rest } = record;
  const isShown = suspectedAtMs === undefined || sinceMs >= suspectedAtMs + consistencyMs;
  const suspicion = isShown ? {} : { suspectedAtMs };
  const versions = record.versions.map((version) => withPolicy(version, observed));
  return { ...(rest as R), ...suspicion, versions, lookedAtMs: sinceMs };
}

/** The first look at a version records its key policy; a later one that it was changed. */
function withPolicy(version: Version, observed: ObservedState): Version {
  const hash = valueOf(observed.policy[version.keyId])?.hash;
  if (hash === undefined) return version;
  const { policyChangedTo: _, ...rest } = version;
  const { policyHash = hash } = version;
  return { ...rest, policyHash, ...(hash === policyHash ? {} : { policyChangedTo: hash }) };
}
