/** What keeps a managed key from moving, and what moves all the same: a key that must come back. */
import { bringToEnabled, explain, inOrder } from "../model/commands.ts";
import { finding, type Finding } from "../model/findings.ts";
import { requestCommand } from "../model/request-command.ts";
import { otherTable } from "./lineage.ts";
import { valueOf } from "./sights.ts";
import type {
  ManagedKey,
  Moment,
  Rotation,
  Scene,
  Seen,
  Stop,
  UseAttempt,
} from "../model/types.ts";

/** `watched`: the rotations that are looked after nevertheless. */
export type Standstill = {
  finding: Finding;
  /** What else a person must know of why it stands still. */
  others: Finding[];
  halt: boolean;
  watched: Rotation[];
  /** Whether a version that an alias was put on is still given back. */
  rescues: boolean;
};

export function standstill({ record, seen, moment }: Scene): Standstill | undefined {
  const back = record.rotations.filter(
    ({ restored, direction, step }) =>
      restored !== undefined || (direction === "back" && step === "distribute"),
  );
  const older = otherTable(record, moment);
  if (older !== undefined) {
    const asked =
      moment.attempt === undefined ? [] : back.filter(isAskedFor(record, moment.attempt));
    return { finding: older, others: [], halt: true, watched: asked, rescues: false };
  }
  if (moment.home === undefined) {
    const what = notConfigured(record, moment);
    return { finding: what, others: [], halt: true, watched: back, rescues: false };
  }
  const revoking = record.rotations.filter(({ step }) => step === "revoke");
  const watched = [...back, ...revoking];
  const attempts = record.stops.filter(({ kind }) => kind === "attempt");
  const [first, ...others] = attempts.map((attempt) => used(record, attempt, seen, moment));
  if (first !== undefined) return { finding: first, others, halt: true, watched, rescues: true };
  const pause = record.stops.find(({ kind }) => kind === "pause");
  if (pause === undefined) return undefined;
  return { finding: paused(record, pause), others: [], halt: false, watched, rescues: true };
}

function isAskedFor({ versions }: ManagedKey, { keyId }: UseAttempt): (one: Rotation) => boolean {
  const version = versions.find((one) => one.keyId === keyId);
  return ({ from, to, direction }) =>
    (direction === "back" ? [from, to] : [from]).includes(version?.number ?? 0);
}

export function isStopped(record: ManagedKey, kind: Stop["kind"]): boolean {
  return record.stops.some((stop) => stop.kind === kind);
}

function notConfigured({ alias }: ManagedKey, { nowMs }: Moment): Finding {
  const seen = `${alias} is in the table and not in the configuration`;
  return finding("NOT_CONFIGURED", alias, seen, explain("NOT_CONFIGURED"), nowMs);
}

/** In mode `plan` it is for a person to give the key back. */
function used(record: ManagedKey, stop: Stop, seen: Seen, { mode }: Moment): Finding {
  const { keyId } = record.versions.find(({ number }) => number === stop.version) ?? {};
  const key = valueOf(seen.key[keyId ?? ""]);
  const isByHand = mode === "plan" && key !== undefined && key.state !== "Enabled";
  const resume = requestCommand(record.alias, "resume");
  const next = isByHand ? inOrder([bringToEnabled(key), resume]) : resume;
  return finding("USED_WHILE_DISABLED", keyId ?? record.alias, stop.seen, next, stop.atMs);
}

function paused({ alias }: ManagedKey, { by, seen, atMs }: Stop): Finding {
  const why = seen === "" ? "" : `: ${seen}`;
  return finding("PAUSED", alias, `by ${by}${why}`, requestCommand(alias, "resume"), atMs);
}

export function heldAfterRollback({ alias, stops }: ManagedKey): Finding[] {
  const held = stops.find(({ kind }) => kind === "rollback");
  if (held === undefined) return [];
  const seen = `version ${held.version} was rolled back by ${held.by}${held.seen === "" ? "" : `: ${held.seen}`}`;
  return [finding("HELD_AFTER_ROLLBACK", alias, seen, requestCommand(alias, "resume"), held.atMs)];
}
