/**
 * Versions that keyturn disabled, and that somebody points an alias at: they come back, whether
 * their rotation is still open or long closed, and a person is told.
 */
import { needed } from "./restore.ts";
import { ownerFinding } from "../safety/old-version.ts";
import { rotationOut, withVersion, without } from "../model/record.ts";
import { lookFirst, valueOf } from "../safety/sights.ts";
import type { Decision, Look, ManagedKey, Scene, Transition, Version } from "../model/types.ts";

/** Undefined where no alias is on any disabled version. */
export function decideOutOfUse(scene: Scene): Decision | undefined {
  const { record, seen } = scene;
  const disabled = record.versions.filter(
    ({ standing }) => standing === "disabled" || standing === "deletion-scheduled",
  );
  const looks: Look[] = disabled.flatMap(({ keyId }): Look[] => [
    { kind: "aliases", keyId },
    { kind: "key", key: keyId },
    { kind: "tags", keyId },
  ]);
  const first = lookFirst(scene, looks);
  if (first !== undefined) return first;
  for (const version of disabled) {
    const [alias] = valueOf(seen.aliases[version.keyId]) ?? [];
    if (alias !== undefined) return giveBack(scene, version, alias);
  }
  return undefined;
}

function giveBack(scene: Scene, version: Version, alias: string): Decision | undefined {
  const { record, seen, moment } = scene;
  const why = `${alias} was moved to version ${version.number}, which is out of use`;
  const rotation = rotationOut(record, version.number);
  if (rotation !== undefined) {
    return needed({ record, moment, rotation, old: version }, "alias", why);
  }
  const foreign = ownerFinding(scene, version);
  if (foreign !== undefined) return { kind: "halt", finding: foreign };
  const state = valueOf(seen.key[version.keyId])?.state;
  if (state === "Enabled") return { kind: "change", ...givenBack(record, version, why) };
  if (state !== "Disabled") return undefined;
  const call = { kind: "EnableKey", keyId: version.keyId } as const;
  return { kind: "call", call, matter: { kind: "serving" }, reason: why };
}

/** The record once a version whose rotation is closed is enabled again: it is kept as it is. */
export function givenBack(record: ManagedKey, version: Version, reason: string): Transition {
  const kept = without({ ...version, standing: "retained" as const }, "disabledAtMs");
  return {
    next: withVersion(record, kept),
    entry: {
      event: "enabled-again",
      reason,
      detail: { version: version.number, keyId: version.keyId },
    },
  };
}
