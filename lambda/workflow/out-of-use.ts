/**
 * Versions that keyturn disabled, and that somebody points an alias at: they come back, whether
 * their rotation is still open or long closed, and a person is told.
 */
import { enable } from "./destruction.ts";
import { withVersion, without } from "./record.ts";
import { lookFirst, valueOf } from "./sights.ts";
import type { Call, Decision, Look, ManagedKey, Scene, Transition, Version } from "./types.ts";

/** Undefined where no alias is on any disabled version. */
export function decideOutOfUse(scene: Scene): Decision | undefined {
  const { record, seen } = scene;
  const disabled = record.versions.filter(({ standing }) => standing === "disabled");
  const looks: Look[] = disabled.flatMap(({ keyId }): Look[] => [
    { kind: "aliases", keyId },
    { kind: "key", key: keyId },
  ]);
  const first = lookFirst(scene, looks);
  if (first !== undefined) return first;
  for (const version of disabled) {
    const [alias] = valueOf(seen.aliases[version.keyId]) ?? [];
    const isDisabled = valueOf(seen.key[version.keyId])?.state === "Disabled";
    if (alias !== undefined && isDisabled) return giveBack(record, version, alias);
  }
  return undefined;
}

function giveBack(record: ManagedKey, version: Version, alias: string): Decision {
  const { keyId, number } = version;
  const why = `${alias} was moved to version ${number}, which is disabled`;
  const rotation = record.rotations.find(({ from }) => from === number);
  if (rotation !== undefined) return enable({ rotation, old: version }, "alias", why);
  const call: Call = { kind: "EnableKey", keyId, because: "alias" };
  return { kind: "call", call, matter: { kind: "serving" }, reason: why };
}

/** The record once a version whose rotation is closed is enabled again: it is kept as it is. */
export function givenBack(record: ManagedKey, call: Call, reason: string): Transition {
  const version = record.versions.find(
    (one) => call.kind === "EnableKey" && one.keyId === call.keyId,
  );
  if (version === undefined) throw new Error(`${record.alias}: ${call.kind} on no version of it`);
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
