/** The invariants of ARCHITECTURE.md, checked when a call is sent, when it lands, and at rest. */
import { recheckMs } from "../../lambda/workflow/model/limits.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type { Rotation } from "../../lambda/workflow/model/types.ts";
import { isHeld } from "../../lambda/workflow/safety/holds.ts";
import { idsOf, keyNamed, lastUseInModel } from "./model-kms.ts";
import { auditReads } from "./audit.ts";
import {
  shownOf,
  type CallDecision,
  type ModelKms,
  type Pending,
  type SearchState,
} from "./state.ts";

/** The invariant that the decision to send this call violates. */
export function wrongToSend(
  state: SearchState,
  { call, matter }: CallDecision,
  epoch: number,
): string | undefined {
  if (call.kind !== "DisableKey" && call.kind !== "ScheduleKeyDeletion") return undefined;
  const { record, nowMs } = state;
  const { keyId } = call;
  const move = onTheirWay(state).find(
    ({ decision, epoch: of }) =>
      of !== epoch && decision.call.kind === "UpdateAlias" && decision.call.keyId === keyId,
  );
  if (move !== undefined) {
    return `I2: ${call.kind} ${keyId} is sent while run ${move.epoch} may still move the alias there`;
  }
  if (matter.kind !== "rotation") return undefined;
  const rotation = record.rotations.find(({ id }) => id === matter.rotationId);
  if (call.kind === "ScheduleKeyDeletion" && !isDeletionApproved(rotation)) {
    return `gate: ScheduleKeyDeletion ${keyId} is sent without an approval of the deletion`;
  }
  const caller = call.kind === "ScheduleKeyDeletion" ? notAccepted(state, keyId) : undefined;
  if (caller !== undefined) return `gate: ScheduleKeyDeletion ${keyId} is sent despite ${caller}`;
  if (state.asked.includes(keyId)) return `I5: ${call.kind} ${keyId} is sent despite a use attempt`;
  const key = keyNamed(shownOf(state), keyId);
  const known = rotation?.evidence?.lastUse;
  const shows = key === undefined ? undefined : lastUseInModel(key, nowMs);
  const isRead =
    known?.kind === shows?.kind &&
    (known?.kind !== "used" || shows?.kind !== "used" || known.atMs === shows.atMs);
  return isRead
    ? undefined
    : `I3: ${call.kind} ${keyId} does not rest on what KMS shows of its use`;
}

/** Whether an operator approved the deletion of the version that this rotation retires. */
export function isDeletionApproved(rotation: Rotation | undefined): boolean {
  const { approval } = rotation ?? {};
  return approval?.of === "delete" && !approval.override;
}

/** A refused caller of this key that no approval accepts. */
export function notAccepted(
  { record, refused }: Pick<SearchState, "record" | "refused">,
  keyId: string,
): string | undefined {
  const version = record.versions.find((one) => one.keyId === keyId);
  if (version === undefined) return undefined;
  const { approval } = record.rotations.find(({ from }) => from === version.number) ?? {};
  return idsOf(refused, version).find((id) => approval?.accepts.includes(id) !== true);
}

/** The invariant that a landing call violates; only a later external change excuses it. */
export function wrongToLand(state: SearchState, pending: Pending): string | undefined {
  const { kms } = state;
  const { decision, crossed, epoch } = pending;
  const { call } = decision;
  if (call.kind === "CreateKey" || crossed) return undefined;
  const key = keyNamed(kms, call.keyId);
  if (key === undefined) return undefined;
  switch (call.kind) {
    case "UpdateAlias":
      if (key.state !== "Enabled") {
        return `I1: run ${epoch} moves the alias to ${key.id}, which is ${key.state}`;
      }
      return twoSuccessors(kms, key.id);
    case "DisableKey":
    case "ScheduleKeyDeletion":
      if (kms.target === key.id) {
        return `I2: ${call.kind} of run ${epoch} lands on ${key.id}, where the alias is`;
      }
      if (!isBack(state, key.id)) return undefined;
      return `I5: ${call.kind} of run ${epoch} lands on ${key.id}, which was restored for good`;
    case "TagResource":
    case "UntagResource":
    case "CreateGrant":
    case "EnableKey":
    case "CancelKeyDeletion":
      return undefined;
  }
}

/** A use attempt restored it, and its tags say so: no run observes it any longer. */
function isBack({ record, asked }: SearchState, keyId: string): boolean {
  const version = record.versions.find((one) => one.keyId === keyId);
  const out = record.rotations.find(({ from }) => from === version?.number);
  return asked.includes(keyId) && out?.restored?.relabelled === true;
}

/** I4: of the keys that one rotation made, keyturn activates at most one. */
function twoSuccessors(kms: ModelKms, keyId: string): string | undefined {
  const rotation = keyNamed(kms, keyId)?.tags[tagNames.rotation];
  if (rotation === undefined) return undefined;
  const other = kms.keys.find(
    ({ id, served, tags }) => id !== keyId && served && tags[tagNames.rotation] === rotation,
  );
  return other === undefined ? undefined : `I4: ${other.id} and ${keyId} both become active`;
}

export function onTheirWay({ flights, waiting }: SearchState): Pending[] {
  return [...flights, ...waiting];
}

/** The findings that hold nothing. */
const notices = new Set([
  "HELD_AFTER_ROLLBACK",
  "REQUEST_REJECTED",
  "OVERDUE",
  "UNLISTED_ALIAS",
  "REFUSED_USE",
  "ORIGINATION_REFUSED",
  "REFUSED_SINCE_ACTIVATION",
  "READ_BY_ALIAS",
]);

/** "done", or the code of a finding; undefined if the state still moves. */
export function restOf(state: SearchState): string | undefined {
  const { record, flights, waiting, attempts, nowMs } = state;
  if (flights.length + waiting.length + attempts.length > 0 || state.isNews) return undefined;
  if (state.lag !== undefined) return undefined;
  if (record.claim !== undefined || record.waitingFor === "retry") return undefined;
  if (record.unsettled.some(({ untilMs }) => untilMs > nowMs)) return undefined;
  if (record.dueAtMs < nowMs + recheckMs || auditReads(state).length > 0) return undefined;
  const codes = record.findings.map(({ code }) => code).filter((code) => !notices.has(code));
  if (codes.length > 0) return codes[0];
  const openExtra = record.extras.some(({ quarantinedAtMs }) => quarantinedAtMs === undefined);
  // After a rollback no rotation opens until an operator resumes, and a finding reports that.
  const opens = record.wanted !== undefined && !isHeld(record, "rollback");
  const isDone = record.rotations.length === 0 && !opens && !openExtra;
  return isDone ? "done" : undefined;
}

/** The findings that report external changes. */
const drift = ["ALIAS_MOVED", "ALIAS_ON_OLD_VERSION", "VERSION_CHANGED", "STATE_BEHIND_KMS"];

/** The invariant that a state at rest violates; `isAlone`: without external changes. */
export function wrongAtRest(
  state: SearchState,
  rest: string,
  isAlone: boolean,
): string | undefined {
  const { kms, asked } = state;
  for (const { id, by } of kms.keys.filter(({ state: is }) => is === "PendingDeletion")) {
    const caller = by === "us" ? notAccepted(state, id) : undefined;
    if (caller !== undefined) return `gate: ${id} is pending deletion despite ${caller}`;
  }
  for (const keyId of asked) {
    const key = keyNamed(kms, keyId);
    if (key?.state === "Enabled" || key?.by === "operator") continue;
    return `I5: despite a use attempt ${keyId} is ${key?.state ?? "deleted"} in the end`;
  }
  const target = keyNamed(kms, kms.target);
  if (target?.state !== "Enabled" && target?.by !== "operator") {
    return `I1: in the end the alias is on ${kms.target}, which is ${target?.state ?? "deleted"}`;
  }
  const isDrift = isAlone && drift.includes(rest);
  return isDrift ? `drift by our own calls: it ends in ${rest}` : undefined;
}
