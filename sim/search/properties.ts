/** What must never be: the invariants of ARCHITECTURE.md, of a call as it is sent and as it lands. */
import { recheckMs } from "../../lambda/workflow/model/limits.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import { isHeld } from "../../lambda/workflow/safety/holds.ts";
import { keyNamed, lastUseInModel } from "./model-kms.ts";
import { auditReads } from "./audit.ts";
import {
  shownOf,
  type CallDecision,
  type ModelKms,
  type Pending,
  type SearchState,
} from "./state.ts";

/** What may not be decided on. */
export function wrongToSend(
  state: SearchState,
  { call, matter }: CallDecision,
  epoch: number,
): string | undefined {
  if (call.kind !== "DisableKey" && call.kind !== "ScheduleKeyDeletion") return undefined;
  const { record, nowMs } = state;
  const { keyId } = call;
  const comes = onTheirWay(state).find(
    ({ decision, epoch: of }) =>
      of !== epoch && decision.call.kind === "UpdateAlias" && decision.call.keyId === keyId,
  );
  if (comes !== undefined) {
    return `I2: ${call.kind} ${keyId} is sent while run ${comes.epoch} may yet move the alias there`;
  }
  if (matter.kind !== "rotation") return undefined;
  if (state.asked.includes(keyId))
    return `I5: ${call.kind} ${keyId} is sent although it was asked for`;
  const key = keyNamed(shownOf(state), keyId);
  const known = record.rotations.find(({ id }) => id === matter.rotationId)?.evidence?.lastUse;
  const shows = key === undefined ? undefined : lastUseInModel(key, nowMs);
  const isRead =
    known?.kind === shows?.kind &&
    (known?.kind !== "used" || shows?.kind !== "used" || known.atMs === shows.atMs);
  return isRead
    ? undefined
    : `I3: ${call.kind} ${keyId} does not rest on what KMS shows of its use`;
}

/** What a call breaks by landing now; excused is only what a person did after it was decided. */
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
      return `I5: ${call.kind} of run ${epoch} lands on ${key.id}, which was given back for good`;
    case "TagResource":
    case "UntagResource":
    case "CreateGrant":
    case "EnableKey":
    case "CancelKeyDeletion":
      return undefined;
  }
}

/** It was asked for, and says on the key itself that it came back: nothing looks at it any longer. */
function isBack({ record, asked }: SearchState, keyId: string): boolean {
  const version = record.versions.find((one) => one.keyId === keyId);
  const out = record.rotations.find(({ from }) => from === version?.number);
  return asked.includes(keyId) && out?.restored?.relabelled === true;
}

/** I4: of the keys that one rotation made, one at the most ever serves by our doing. */
function twoSuccessors(kms: ModelKms, keyId: string): string | undefined {
  const rotation = keyNamed(kms, keyId)?.tags[tagNames.rotation];
  if (rotation === undefined) return undefined;
  const other = kms.keys.find(
    ({ id, served, tags }) => id !== keyId && served && tags[tagNames.rotation] === rotation,
  );
  return other === undefined ? undefined : `I4: ${other.id} and ${keyId} both come to serve`;
}

export function onTheirWay({ flights, waiting }: SearchState): Pending[] {
  return [...flights, ...waiting];
}

/** What a person is told, and for which nothing waits. */
const notices = new Set(["HELD_AFTER_ROLLBACK", "REQUEST_REJECTED", "OVERDUE", "UNLISTED_ALIAS"]);

/** Whether everything is done, or what a person is told of; undefined where it still moves. */
export function restOf(state: SearchState): string | undefined {
  const { record, flights, waiting, attempts, nowMs } = state;
  if (flights.length + waiting.length + attempts.length > 0) return undefined;
  if (state.lag !== undefined) return undefined;
  if (record.claim !== undefined || record.waitingFor === "retry") return undefined;
  if (record.unsettled.some(({ untilMs }) => untilMs > nowMs)) return undefined;
  if (record.dueAtMs < nowMs + recheckMs || auditReads(state).length > 0) return undefined;
  const codes = record.findings.map(({ code }) => code).filter((code) => !notices.has(code));
  if (codes.length > 0) return codes[0];
  const openExtra = record.extras.some(({ quarantinedAtMs }) => quarantinedAtMs === undefined);
  // After a rollback nothing opens until a person has it go on, and that is told.
  const opens = record.wanted !== undefined && !isHeld(record, "rollback");
  const isDone = record.rotations.length === 0 && !opens && !openExtra;
  return isDone ? "done" : undefined;
}

/** What a person is told that somebody else did. */
const drift = ["ALIAS_MOVED", "ALIAS_ON_OLD_VERSION", "VERSION_CHANGED", "STATE_BEHIND_KMS"];

/** What may not be so where it stays like that; `isAlone`: nobody but keyturn changes anything. */
export function wrongAtRest(
  { kms, asked }: SearchState,
  rest: string,
  isAlone: boolean,
): string | undefined {
  for (const keyId of asked) {
    const key = keyNamed(kms, keyId);
    if (key?.state === "Enabled" || key?.by === "a person") continue;
    return `I5: ${keyId} was asked for, and is ${key?.state ?? "deleted"} in the end`;
  }
  const target = keyNamed(kms, kms.target);
  if (target?.state !== "Enabled" && target?.by !== "a person") {
    return `I1: in the end the alias is on ${kms.target}, which is ${target?.state ?? "deleted"}`;
  }
  const isDrift = isAlone && drift.includes(rest);
  return isDrift ? `drift of our own making: it ends in ${rest}` : undefined;
}
