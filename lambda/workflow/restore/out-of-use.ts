/**
 * A version that keyturn disabled and that an external actor points an alias at: keyturn restores it, whether its
 * rotation is open or closed, and reports it.
 */
import { needed } from "./restore.ts";
import { ownerFinding } from "../safety/old-version.ts";
import { rotationOut, withVersion, without } from "../model/record.ts";
import { observeFirst, valueOf } from "../safety/observations.ts";
import type { Decision, ManagedKey, Scene, Transition, Version } from "../model/types.ts";

/** Undefined where it has no alias. Its state and aliases were observed. */
export function decideOutOfUse(scene: Scene, version: Version): Decision | undefined {
  const { record, observed, context } = scene;
  const { keyId, number } = version;
  const [alias] = valueOf(observed.aliases[keyId]) ?? [];
  if (alias === undefined) return undefined;
  const why = `${alias} points at version ${number}, which keyturn disabled`;
  const rotation = rotationOut(record, number);
  if (rotation !== undefined) {
    return needed({ record, context, rotation, old: version }, "alias", why);
  }
  const first = observeFirst(scene, [{ kind: "tags", keyId }]);
  if (first !== undefined) return first;
  const foreign = ownerFinding(scene, version);
  if (foreign !== undefined) return { kind: "halt", finding: foreign };
  const state = valueOf(observed.key[keyId])?.state;
  if (state === "Enabled") {
    return { kind: "change", ...restored(record, version, why, context.nowMs) };
  }
  if (state !== "Disabled") return undefined;
  const call = { kind: "EnableKey", keyId } as const;
  return { kind: "call", call, matter: { kind: "active" }, reason: why };
}

/** The record once a version without an open rotation is enabled again: it is retained. */
export function restored(
  record: ManagedKey,
  version: Version,
  reason: string,
  nowMs: number,
): Transition {
  const kept = without({ ...version, state: "retained" as const }, "disabledAtMs");
  return {
    // Reads may not show it enabled yet.
    next: { ...withVersion(record, kept), authorizationChangedAtMs: nowMs },
    entry: {
      event: "re-enabled",
      reason,
      detail: { version: version.number, keyId: version.keyId },
    },
  };
}
