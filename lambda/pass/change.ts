/** Changes the record: binds keys, adds a journal line, writes. */
import { transition } from "../record/journal.ts";
import type { Stored } from "../ports.ts";
import { halted, type Next, type PassState, type Pass } from "./state.ts";
import { showAliases } from "../workflow/model/commands.ts";
import { finding } from "../workflow/model/findings.ts";
import { nothingObserved } from "../workflow/safety/observations.ts";
import type { EntryDraft, ManagedKey, Context, ObservedState } from "../workflow/model/types.ts";
import { write } from "./write.ts";

/** Binds a KMS key to this managed key before the record names it. */
export async function change(
  pass: Pass,
  state: PassState,
  next: ManagedKey,
  entry: EntryDraft,
  context: Context,
): Promise<Next> {
  const before = state.stored.record;
  const { table } = pass.ports;
  for (const { keyId } of next.versions) {
    if (before.versions.some((version) => version.keyId === keyId)) continue;
    const bound = await table.bind(keyId, next.alias, context.nowMs);
    if (bound.kind === "taken") {
      const observed = `${keyId} is already a version of ${bound.by}`;
      const command = showAliases(keyId);
      const taken = finding("KEY_ALREADY_MANAGED", next.alias, observed, command, context.nowMs);
      return halted(state, taken, context);
    }
  }
  // KMS has deleted it: no other managed key can own it. After a crash here, a retry unbinds it
  // again.
  for (const { keyId } of before.versions) {
    const deleted = next.versions.every((version) => version.keyId !== keyId);
    if (deleted) await table.unbind(keyId, next.alias);
  }
  const stored = await commit(pass, state.stored, next, entry, context);
  return { kind: "on", state: { ...state, stored, observed: stillObserved(state, next) } };
}

/**
 * The next step does not use observations from before the end of a step: destruction reads again.
 * Only activation uses those that ended the distribution, and the distribution the listed grants; no
 * call uses old ones (`isStale`).
 */
function stillObserved({ stored, observed }: PassState, next: ManagedKey): ObservedState {
  const begun = next.rotations.flatMap(({ id, step }) => {
    const before = stored.record.rotations.find((rotation) => rotation.id === id);
    return before === undefined || before.step === step ? [] : [step];
  });
  if (begun.every((step) => step === "activate")) return observed;
  const copies = begun.every((step) => step === "distribute");
  return { ...nothingObserved(), ...(copies ? { grants: observed.grants } : {}) };
}

async function commit(
  pass: Pass,
  before: Stored,
  next: ManagedKey,
  entry: EntryDraft,
  context: Context,
): Promise<Stored> {
  const after = transition(before, next, entry, context.nowMs);
  const stored = await write(pass.ports.table, before, after);
  pass.telemetry.transition(stored);
  return stored;
}
