/** Holds keep a managed key from moving. Restores continue. */
import { bringToEnabled, explain, inOrder } from "../model/commands.ts";
import { finding, type Finding } from "../model/findings.ts";
import { requestCommand } from "../model/request-command.ts";
import { otherTable } from "./lineage.ts";
import { valueOf } from "./observations.ts";
import type {
  ManagedKey,
  Context,
  Rotation,
  Scene,
  ObservedState,
  Hold,
  UseAttempt,
} from "../model/types.ts";

/** `watched`: the rotations that keyturn still evaluates. */
export type HoldInForce = {
  finding: Finding;
  /** Further findings about the hold. */
  others: Finding[];
  halt: boolean;
  watched: Rotation[];
  /** Whether keyturn still restores a version that an alias points at. */
  restores: boolean;
};

export function holdInForce({ record, observed, context }: Scene): HoldInForce | undefined {
  const back = record.rotations.filter(
    ({ restored, direction, step }) =>
      restored !== undefined || (direction === "back" && step === "distribute"),
  );
  const older = otherTable(record, context);
  if (older !== undefined) {
    const asked =
      context.attempt === undefined ? [] : back.filter(isAskedFor(record, context.attempt));
    return { finding: older, others: [], halt: true, watched: asked, restores: false };
  }
  const revoking = record.rotations.filter(({ step }) => step === "revoke");
  const watched = [...back, ...revoking];
  if (context.home === undefined) {
    const what = notConfigured(record, context);
    return { finding: what, others: [], halt: true, watched, restores: false };
  }
  const attempts = record.holds.filter(({ kind }) => kind === "restored");
  const [first, ...others] = attempts.map((attempt) => used(record, attempt, observed, context));
  if (first !== undefined) return { finding: first, others, halt: true, watched, restores: true };
  const pause = record.holds.find(({ kind }) => kind === "pause");
  if (pause === undefined) return undefined;
  return { finding: paused(record, pause), others: [], halt: false, watched, restores: true };
}

function isAskedFor({ versions }: ManagedKey, { keyId }: UseAttempt): (one: Rotation) => boolean {
  const version = versions.find((one) => one.keyId === keyId);
  return ({ from, to, direction }) =>
    (direction === "back" ? [from, to] : [from]).includes(version?.number ?? 0);
}

export function isHeld(record: ManagedKey, kind: Hold["kind"]): boolean {
  return record.holds.some((hold) => hold.kind === kind);
}

function notConfigured({ alias }: ManagedKey, { nowMs }: Context): Finding {
  const observed = `${alias} is in the table and not in the configuration`;
  return finding("NOT_CONFIGURED", alias, observed, explain("NOT_CONFIGURED"), nowMs);
}

/** In mode `plan` an operator must enable the key. */
function used(record: ManagedKey, hold: Hold, observed: ObservedState, { mode }: Context): Finding {
  const { keyId } = record.versions.find(({ number }) => number === hold.version) ?? {};
  const key = valueOf(observed.key[keyId ?? ""]);
  const isByHand = mode === "plan" && key !== undefined && key.state !== "Enabled";
  const resume = requestCommand(record.alias, "resume");
  const next = isByHand ? inOrder([bringToEnabled(key), resume]) : resume;
  return finding("USED_WHILE_DISABLED", keyId ?? record.alias, hold.reason, next, hold.atMs);
}

function paused({ alias }: ManagedKey, { by, reason, atMs }: Hold): Finding {
  const why = reason === "" ? "" : `: ${reason}`;
  return finding("PAUSED", alias, `paused by ${by}${why}`, requestCommand(alias, "resume"), atMs);
}

export function heldAfterRollback({ alias, holds }: ManagedKey): Finding[] {
  const held = holds.find(({ kind }) => kind === "rollback");
  if (held === undefined) return [];
  const observed = `version ${held.version} was rolled back by ${held.by}${held.reason === "" ? "" : `: ${held.reason}`}`;
  return [
    finding("HELD_AFTER_ROLLBACK", alias, observed, requestCommand(alias, "resume"), held.atMs),
  ];
}
