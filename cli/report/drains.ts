/** The evidence for the revocation of a version: its last use according to KMS, at each reading. */
import type { KeyHistory } from "../../lambda/aws/dynamodb-reading.ts";
import type { JournalEntry } from "../../lambda/ports.ts";
import { describeLastUse } from "../../lambda/workflow/safety/evidence.ts";
import { lastUseLagMs } from "../../lambda/workflow/model/limits.ts";
import type { Destructive, Policy, Rotation } from "../../lambda/workflow/model/types.ts";
import { rotationsOf } from "./history.ts";

export type Reading = {
  atMs: number;
  /** The line of the journal; undefined for the reading in the rotation itself. */
  line: number | undefined;
  /** The purpose of the reading. */
  what: string;
  lastUse: string;
  /** How long it was certainly unused, without the hour by which KMS may lag. */
  quietMs: number | undefined;
  hash: string;
};

type DrainApproval = {
  by: string;
  atMs: number;
  override: boolean;
  hash: string;
  /** The needs that it accepts, by id, with spaces between them. */
  accepts: string;
};

export type Drain = {
  version: number;
  keyId: string;
  rotationId: string;
  originate: Policy["originate"] | undefined;
  quietForMs: number | undefined;
  readings: Reading[];
  /** Before DisableKey. */
  approval: DrainApproval | undefined;
  /** Before ScheduleKeyDeletion. */
  deletionApproval: DrainApproval | undefined;
  disabledAtMs: number | undefined;
};

const readingTexts: Record<string, string> = {
  drained: "proved unused",
  "evidence-read": "changed since the reading before",
  disabled: "on record at DisableKey",
  unused: "not used in the hour before DisableKey",
  completed: "the last reading",
};

/** Every retired version with a last use on record. */
export function drainsOf(history: KeyHistory): Drain[] {
  const rotations = rotationsOf(history);
  const drains = new Map<string, Drain>();
  for (const entry of history.journal) {
    const { rotationId, event, detail } = entry;
    if (rotationId === undefined) continue;
    if (event === "approved") approved(drains.get(rotationId), entry);
    if (readingTexts[event] === undefined || detail.keyId === undefined) continue;
    const drain = drains.get(rotationId) ?? newDrain(entry, rotationId, rotations.get(rotationId));
    drains.set(rotationId, drain);
    if (event === "disabled") drain.disabledAtMs = entry.atMs;
    read(drain, entry);
  }
  for (const [id, drain] of drains) lastReading(drain, rotations.get(id));
  return [...drains.values()].filter(({ readings }) => readings.length > 0);
}

function newDrain({ detail }: JournalEntry, rotationId: string, rotation?: Rotation): Drain {
  return {
    version: Number(detail.version),
    keyId: String(detail.keyId),
    rotationId,
    originate: rotation?.policy.originate,
    quietForMs: rotation?.policy.drain.quietForMs,
    readings: [],
    approval: approvalOf(rotation, "disable"),
    deletionApproval: approvalOf(rotation, "delete"),
    disabledAtMs: undefined,
  };
}

function approvalOf(
  rotation: Rotation | undefined,
  wanted: Destructive,
): DrainApproval | undefined {
  if (rotation?.approval?.of !== wanted) return undefined;
  const { by, atMs, override, evidence, accepts } = rotation.approval;
  return { by, atMs, override, hash: evidence, accepts: accepts.join(" ") };
}

function approved(drain: Drain | undefined, { detail, atMs }: JournalEntry): void {
  if (drain === undefined) return;
  const given = {
    by: String(detail.by),
    atMs,
    override: detail.override === "true",
    hash: String(detail.evidence),
    accepts: String(detail.accepts ?? ""),
  };
  if (detail.of === "delete") drain.deletionApproval = given;
  else drain.approval = given;
}

function read(drain: Drain, { event, detail, atMs, revision }: JournalEntry): void {
  const before = drain.readings.at(-1);
  const lastUse = detail.lastUse ?? (event === "unused" ? before?.lastUse : undefined);
  if (lastUse === undefined) return;
  drain.readings.push({
    atMs,
    line: revision,
    what: readingTexts[event] ?? event,
    lastUse: String(lastUse),
    quietMs: quietMs(String(lastUse), atMs),
    hash: String(detail.evidence ?? (before?.lastUse === lastUse ? before.hash : "")),
  });
}

/** The closed rotation keeps the last reading, which may be later than any journal line. */
function lastReading(drain: Drain, rotation: Rotation | undefined): void {
  const { evidence } = rotation ?? {};
  if (evidence === undefined) return;
  const { observedAtMs: atMs, hash } = evidence;
  const lastUse = describeLastUse(evidence.lastUse);
  if (drain.readings.some((one) => one.atMs >= atMs && one.lastUse === lastUse)) return;
  const what = readingTexts.completed ?? "";
  const quiet = quietMs(lastUse, atMs);
  drain.readings.push({ atMs, line: undefined, what, lastUse, quietMs: quiet, hash });
}

/** Parses the text of `describeLastUse`; undefined if KMS did not know. */
function quietMs(lastUse: string, atMs: number): number | undefined {
  const [, iso] = /(?:at|since) (\d{4}-[\d-]+T[\d:]+Z)$/.exec(lastUse) ?? [];
  if (iso === undefined || lastUse.startsWith("unknown")) return undefined;
  return Math.max(0, atMs - lastUseLagMs - Date.parse(iso));
}
