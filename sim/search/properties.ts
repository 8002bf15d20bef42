/** What must never be: the invariants of design.md, of a call as it lands and of a world at rest. */
import { recheckMs } from "../../lambda/workflow/limits.ts";
import { tagNames } from "../../lambda/workflow/tag-names.ts";
import type { Call } from "../../lambda/workflow/types.ts";
import { keyNamed } from "./model-kms.ts";
import type { State } from "./state.ts";

/** What a call breaks by landing now; nothing where others have had their hands on it. */
export function wrongWith(state: State, call: Call, epoch: number): string | undefined {
  if (call.kind === "CreateKey") return undefined;
  const { kms, touched } = state;
  const key = keyNamed(kms, call.keyId);
  if (key === undefined || touched.includes(key.id) || touched.includes("alias")) return undefined;
  switch (call.kind) {
    case "UpdateAlias":
      return key.state === "Enabled"
        ? twoSuccessors(state, key.id)
        : `I1: the alias is moved to ${key.id}, which is ${key.state}`;
    case "DisableKey":
    case "ScheduleKeyDeletion": {
      if (kms.target === key.id) return `I2: ${call.kind} lands on ${key.id}, where the alias is`;
      const late = [
        ...state.flights,
        ...state.waiting.map(({ decision, epoch: of }) => ({ call: decision.call, epoch: of })),
      ];
      const comes = late.some(
        (one) =>
          one.epoch !== epoch && one.call.kind === "UpdateAlias" && one.call.keyId === key.id,
      );
      return comes
        ? `I2: ${call.kind} lands on ${key.id}, to which the alias may yet move`
        : undefined;
    }
    case "TagResource":
    case "UntagResource":
    case "CreateGrant":
    case "EnableKey":
    case "CancelKeyDeletion":
      return undefined;
  }
}

/** I4: of the keys that one rotation made, one at the most ever serves. */
function twoSuccessors({ kms }: State, keyId: string): string | undefined {
  const rotation = keyNamed(kms, keyId)?.tags[tagNames.rotation];
  if (rotation === undefined) return undefined;
  const other = kms.keys.find(
    ({ id, served, tags }) => id !== keyId && served && tags[tagNames.rotation] === rotation,
  );
  return other === undefined ? undefined : `I4: ${other.id} and ${keyId} both come to serve`;
}

/** Of a world in which nothing is on its way, and nothing falls due soon. */
export function wrongAtRest(state: State): string | undefined {
  const { record, kms, nowMs, touched } = state;
  const isQuiet =
    state.flights.length + state.waiting.length + state.attempts.length === 0 &&
    record.claim === undefined &&
    record.dueAtMs >= nowMs + recheckMs &&
    record.unsettled.every(({ untilMs }) => untilMs <= nowMs);
  if (!isQuiet) return undefined;
  for (const keyId of state.answered) {
    const key = keyNamed(kms, keyId);
    if (touched.includes(keyId) || key?.state === "Enabled") continue;
    return `I5: ${keyId} was asked for, and is ${key?.state ?? "gone"} in the end`;
  }
  const target = keyNamed(kms, kms.target);
  if (touched.length === 0 && target?.state !== "Enabled") {
    return `I1: the alias rests on ${kms.target}, which is ${target?.state ?? "gone"}`;
  }
  return undefined;
}
