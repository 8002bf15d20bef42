/** Records that an inspection is due for, and what it decides where KMS differs from them. */
import { decideInspection } from "../../lambda/workflow/drift/inspection.ts";
import type { Decision, ManagedKey, Version } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs } from "../fixtures.ts";
import { spoken, waits } from "./decided.ts";
import {
  absent,
  alias,
  allObserved,
  aContext,
  aRecord,
  aVersion,
  type Changes,
  nowMs,
  observedKey,
  type Observations,
  retiredAtMs,
} from "./scene.ts";

export type Old = Exclude<Version["state"], "active">;
export type Shown = "Enabled" | "Disabled" | "PendingDeletion" | "absent";

export const suspectedAtMs = nowMs - hourMs;
export const deletionAtMs = nowMs + 5 * dayMs;
/** The tags that both versions share, those of version 1 in its drain, and those of version 2. */
export const ours = { "keyturn:owner": "acme", "keyturn:alias": alias };
export const first = { ...ours, "keyturn:version": "1", "keyturn:retired": "r1" };
export const second = { ...ours, "keyturn:version": "2" };

export function retired(state: Old, more: Changes<Version> = {}): Version {
  const date = state === "pending-deletion" ? { deletionAtMs } : {};
  return aVersion(1, { state, retiredAtMs, label: "r1", ...date, ...more });
}

/** An event showed a change: version 1 is retired in this state, and version 2 is active. */
export function withOld(state: Old, changesOf: Changes<ManagedKey> = {}): ManagedKey {
  return aRecord({ versions: [retired(state), aVersion(2)], suspectedAtMs, ...changesOf });
}

/** The decisions of the inspection at such a record, where KMS differs from it in these observations. */
export function inspect(record: ManagedKey, observed: Observations = {}): Decision[] {
  const scene = { record, observed: allObserved(record, observed), context: aContext() };
  return decideInspection(scene).map(spoken);
}

export function shows(keyId: string, state: Shown): Observations {
  const key = state === "absent" ? absent : observedKey(keyId, { state, deletionAtMs });
  return { key: { [keyId]: key } };
}

/** What concerns an old version alone waits for an operator, and halts nothing. */
export function waitsFor(code: string, subject: string): object {
  return { ...waits(nowMs + hourMs, code, subject), reason: `halted: ${code}` };
}
