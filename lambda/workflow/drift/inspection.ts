/**
 * The inspection: keyturn reads every version that is not deleted, whatever its state, once a day and soon after an
 * event of a change by an external actor. It reports what differs from the record; the guard before each call
 * does not depend on it.
 */
import { firstInspectionAfterMs, inspectionEveryMs, settledAtMs } from "./inspection-times.ts";
import { inspectVersion } from "./inspect-version.ts";
import { effects, isDanger, foundByInspection, type Finding } from "../model/findings.ts";
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

/** The fields of a record that an inspection reads or writes. */
type Inspected = Pick<ManagedKey, "alias" | "versions" | "rotations" | "findings"> &
  Pick<
    ManagedKey,
    "inspectedAtMs" | "suspectedAtMs" | "authorizationChangedAtMs" | "reconciledAtMs"
  > &
  Pick<ManagedKey, "enrolledAtMs" | "unenrolment">;

/** When the next inspection is due; Infinity where none is. */
export function inspectionDueAtMs(record: Inspected): number {
  const { enrolledAtMs, inspectedAtMs, suspectedAtMs, findings } = record;
  const isOut = record.unenrolment !== undefined || record.reconciledAtMs !== undefined;
  if (enrolledAtMs === undefined || isOut) return Infinity;
  const settledMs = settledAtMs(record);
  const dailyMs =
    inspectedAtMs === undefined
      ? enrolledAtMs + firstInspectionAfterMs(record.alias)
      : inspectedAtMs + inspectionEveryMs(record.alias);
  const openMs = findings.some(isAwaited) ? openDueAtMs(inspectedAtMs, settledMs) : Infinity;
  return Math.max(
    settledMs,
    Math.min(dailyMs, suspectedDueAtMs(suspectedAtMs, inspectedAtMs), openMs),
  );
}

/** At once, and again when reads show every change of before the suspicion. */
function suspectedDueAtMs(suspectedAtMs = Infinity, inspectedAtMs = -Infinity): number {
  return inspectedAtMs < suspectedAtMs ? suspectedAtMs : suspectedAtMs + consistencyMs;
}

/** An operator is to correct it: hourly, and once keyturn itself has changed something. */
function isAwaited({ code }: Finding): boolean {
  return foundByInspection.includes(code) && (effects[code] === "halt" || isDanger({ code }));
}

function openDueAtMs(inspectedAtMs = 0, settledMs: number): number {
  return inspectedAtMs < settledMs ? settledMs : inspectedAtMs + recheckMs;
}

export type InspectionDue = "no" | "daily" | "suspected";

/** While a finding of an inspection is open, every pass inspects. */
export function isInspectionDue(record: Inspected, nowMs: number): InspectionDue {
  const dueAtMs = inspectionDueAtMs(record);
  if (dueAtMs === Infinity || nowMs < settledAtMs(record)) return "no";
  if (record.findings.some(({ code }) => foundByInspection.includes(code))) return "suspected";
  if (nowMs < dueAtMs) return "no";
  return record.suspectedAtMs === undefined ? "daily" : "suspected";
}

/**
 * What the inspection finds, or the reads that it needs. Three requests to KMS a version: the daily inspection takes
 * tags from the search, which costs none, and reads those of a key only where the search shows others than the
 * record.
 */
export function decideInspection(scene: Scene): Decision[] {
  const { record, observed, context } = scene;
  const due = isInspectionDue(record, context.nowMs);
  if (due === "no") return [];
  const first =
    stillToObserve(observed, inspectionReads(record)) ??
    stillToObserve(observed, tagReads(scene, due));
  if (first !== undefined) return [due === "daily" ? { ...first, last: true } : first];
  return record.versions.flatMap((version) => inspectVersion(scene, version));
}

/** The findings of earlier inspections, where this pass has not made an inspection that could close them. */
export function stillOpen({ record, observed, context }: Scene): Finding[] {
  const isDone = isInspectionDue(record, context.nowMs) !== "no" && isComplete(record, observed);
  if (isDone || inspectionDueAtMs(record) === Infinity) return [];
  return record.findings.filter(
    (one) => foundByInspection.includes(one.code) || isUnrecordedPolicy(record, one),
  );
}

/** A pass that did not rest reported the key policy, and did not record it. Its command names the hash. */
function isUnrecordedPolicy({ versions }: Inspected, { code, subject, next }: Finding): boolean {
  return (
    code === "KEY_POLICY_CHANGED" &&
    versions.some(
      ({ keyId, policyHash, policyChangedTo }) =>
        keyId === subject &&
        policyChangedTo === undefined &&
        policyHash !== undefined &&
        !next.includes(policyHash),
    )
  );
}

function isComplete(record: Inspected, observed: ObservedState): boolean {
  return inspectionReads(record).every((read) => observationOf(observed, read) !== undefined);
}

function inspectionReads({ alias, versions }: Inspected): KmsRead[] {
  return [
    { kind: "lineage", alias },
    ...versions.flatMap(({ keyId }): KmsRead[] => [
      { kind: "key", key: keyId },
      { kind: "aliases", keyId },
      { kind: "policy", keyId },
    ]),
  ];
}

function tagReads({ record, observed }: Scene, due: InspectionDue): KmsRead[] {
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

/** The record after a pass that has made every read of an inspection; `sinceMs`: the time of the oldest one. */
export function afterInspection<R extends Inspected>(
  record: R,
  observed: ObservedState,
  sinceMs: number,
): R {
  if (isInspectionDue(record, sinceMs) === "no" || !isComplete(record, observed)) return record;
  const { suspectedAtMs, ...rest } = record;
  const isShown = suspectedAtMs === undefined || sinceMs >= suspectedAtMs + consistencyMs;
  const suspicion = isShown ? {} : { suspectedAtMs };
  const versions = record.versions.map((version) => withPolicy(version, observed));
  return { ...(rest as R), ...suspicion, versions, inspectedAtMs: sinceMs };
}

/** An inspection records that the key policy was changed, and the policy itself where the record has none. */
function withPolicy(version: Version, observed: ObservedState): Version {
  const policy = valueOf(observed.policy[version.keyId]);
  if (policy === undefined) return version;
  const { policyChangedTo: _, aliasOnly, ...rest } = version;
  const { policyHash = policy.hash } = version;
  // The hash is without keyturn's own statement.
  const isEnforced = aliasOnly === true && policy.aliasOnly !== undefined;
  return {
    ...rest,
    ...(isEnforced ? { aliasOnly } : {}),
    policyHash,
    ...(policy.hash === policyHash ? {} : { policyChangedTo: policy.hash }),
  };
}
