/**
 * Versions that keyturn disabled and that an external actor points an alias at: keyturn restores
 * them, whether their rotation is open or closed, and reports it.
 */
import { needed } from "./restore.ts";
import { ownerFinding } from "../safety/old-version.ts";
import { rotationOut, withVersion, without } from "../model/record.ts";
import { observeFirst, valueOf } from "../safety/observations.ts";
import type { Decision, KmsRead, ManagedKey, Scene, Transition, Version } from "../model/types.ts";

/** Undefined where no disabled version has an alias. */
export function decideOutOfUse(scene: Scene): Decision | undefined {
  const { record, observed } = scene;
  const disabled = record.versions.filter(
    ({ state }) => state === "disabled" || state === "pending-deletion",
  );
  const reads: KmsRead[] = disabled.flatMap(({ keyId }): KmsRead[] => [
    { kind: "aliases", keyId },
    { kind: "key", key: keyId },
    { kind: "tags", keyId },
  ]);
  const first = observeFirst(scene, reads);
  if (first !== undefined) return first;
  for (const version of disabled) {
    const [alias] = valueOf(observed.aliases[version.keyId]) ?? [];
    if (alias !== undefined) return restore(scene, version, alias);
  }
  return undefined;
}

function restore(scene: Scene, version: Version, alias: string): Decision | undefined {
  const { record, observed, context } = scene;
  const why = `${alias} points at version ${version.number}, which keyturn disabled`;
  const rotation = rotationOut(record, version.number);
  if (rotation !== undefined) {
    return needed({ record, context, rotation, old: version }, "alias", why);
  }
  const foreign = ownerFinding(scene, version);
  if (foreign !== undefined) return { kind: "halt", finding: foreign };
  const state = valueOf(observed.key[version.keyId])?.state;
  if (state === "Enabled") return { kind: "change", ...restored(record, version, why) };
  if (state !== "Disabled") return undefined;
  const call = { kind: "EnableKey", keyId: version.keyId } as const;
  return { kind: "call", call, matter: { kind: "active" }, reason: why };
}

/** The record once a version without an open rotation is enabled again: it is retained. */
export function restored(record: ManagedKey, version: Version, reason: string): Transition {
  const kept = without({ ...version, state: "retained" as const }, "disabledAtMs");
  return {
    next: withVersion(record, kept),
    entry: {
      event: "re-enabled",
      reason,
      detail: { version: version.number, keyId: version.keyId },
    },
  };
}
