/** A change of the record: bound, journaled, written. */
import { transition } from "../record/journal.ts";
import type { Stored } from "../ports.ts";
import { halted, type Next, type PassState, type Turn } from "./state.ts";
import { showAliases } from "../workflow/model/commands.ts";
import { finding } from "../workflow/model/findings.ts";
import { nothingSeen } from "../workflow/safety/sights.ts";
import type { EntryDraft, ManagedKey, Moment, Seen } from "../workflow/model/types.ts";
import { write } from "./write.ts";

/** A KMS key is bound to this managed key before the record names it. */
export async function change(
  turn: Turn,
  state: PassState,
  next: ManagedKey,
  entry: EntryDraft,
  moment: Moment,
): Promise<Next> {
  const before = state.stored.record;
  const { table } = turn.ports;
  for (const { keyId } of next.versions) {
    if (before.versions.some((version) => version.keyId === keyId)) continue;
    const bound = await table.bind(keyId, next.alias, moment.nowMs);
    if (bound.kind === "taken") {
      const seen = `${keyId} is a version of ${bound.by} already`;
      const command = showAliases(keyId);
      const taken = finding("KEY_ALREADY_MANAGED", next.alias, seen, command, moment.nowMs);
      return halted(state, taken, moment);
    }
  }
  // KMS has deleted it: nobody else can come to own it, and a crash in between unbinds it again.
  for (const { keyId } of before.versions) {
    const gone = next.versions.every((version) => version.keyId !== keyId);
    if (gone) await table.unbind(keyId, next.alias);
  }
  const stored = await commit(turn, state.stored, next, entry, moment);
  return { kind: "on", state: { ...state, stored, seen: stillSeen(state, next) } };
}

/**
 * What was seen before a step ended does not decide on the next: destruction reads afresh. Activation
 * goes by what ended the distribution, a write ago; no call rests on what is old (`isStale`).
 */
function stillSeen(state: PassState, next: ManagedKey): Seen {
  const stepEnded = next.rotations.some(({ id, step }) => {
    const before = state.stored.record.rotations.find((rotation) => rotation.id === id);
    return before !== undefined && before.step !== step && step !== "activate";
  });
  return stepEnded ? nothingSeen() : state.seen;
}

async function commit(
  turn: Turn,
  before: Stored,
  next: ManagedKey,
  entry: EntryDraft,
  moment: Moment,
): Promise<Stored> {
  const after = transition(before, next, entry, moment.nowMs);
  const stored = await write(turn.ports.table, before, after);
  turn.telemetry.transition(stored);
  return stored;
}
