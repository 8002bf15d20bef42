/** The one key that all aliases of a managed key point at. */
import { pointAt, showKey } from "../model/commands.ts";
import { finding } from "../model/findings.ts";
import { isoOf } from "../model/iso.ts";
import { activeVersion } from "../model/record.ts";
import { observeFirst, valueOf } from "./observations.ts";
import type { Decision, Key, KmsRead, ManagedKey, Scene, Version } from "../model/types.ts";

export type AliasTarget = { kind: "target"; key: Key } | { kind: "not"; decision: Decision };

export function aliasTarget(scene: Scene): AliasTarget {
  const { record, observed, context } = scene;
  const { aliases } = record;
  const reads: KmsRead[] = aliases.map((alias) => ({ kind: "key", key: alias }));
  const first = observeFirst(scene, reads);
  if (first !== undefined) return { kind: "not", decision: first };
  let target: Key | undefined;
  for (const alias of aliases) {
    const key = valueOf(observed.key[alias]);
    if (key === undefined) return { kind: "not", decision: aliasNotFound(scene, alias) };
    target ??= key;
    if (target.keyId !== key.keyId) {
      const observations = `${record.alias} points at ${target.keyId}, ${alias} at ${key.keyId}`;
      const { keyId } = target;
      const apart = aliases.filter((name) => {
        const other = valueOf(observed.key[name]);
        return other !== undefined && other.keyId !== keyId;
      });
      const next = pointAt(target, apart);
      const split = finding("ALIAS_SET_SPLIT", alias, observations, next, context.nowMs);
      return { kind: "not", decision: { kind: "halt", finding: split } };
    }
  }
  if (target === undefined) throw new Error(`${record.alias} has no aliases`);
  return { kind: "target", key: target };
}

/** It belongs on the active version; before enrolment, on the key of its set's other aliases. */
function aliasNotFound(scene: Scene, alias: string): Decision {
  const { record, observed, context } = scene;
  const active = activeVersion(record);
  const first = active === undefined ? undefined : keyFirst(scene, active.keyId);
  if (first !== undefined) return first;
  const names = active === undefined ? record.aliases : [active.keyId];
  const key = names.map((name) => valueOf(observed.key[name])).find((one) => one !== undefined);
  // Only an operator knows its key.
  const next = key === undefined ? "aws kms list-aliases" : pointAt(key, [alias], [alias]);
  const what = finding("ALIAS_NOT_FOUND", alias, `${alias} does not exist`, next, context.nowMs);
  return { kind: "halt", finding: what };
}

/** An external actor moved it: always reported, never overwritten. It belongs on `expected`. */
export function aliasMoved(scene: Scene, alias: string, expected: Version | undefined): Decision {
  const { record, observed, context } = scene;
  const key = valueOf(observed.key[alias]);
  if (key === undefined) return aliasNotFound(scene, alias);
  const first = expected === undefined ? undefined : keyFirst(scene, expected.keyId);
  if (first !== undefined) return first;
  const where = expected?.keyId ?? "the key of an active version";
  const [version, cause] = which(record, key.keyId);
  const observations = `${alias} points at ${key.keyId}${version}, not at ${where}${cause}`;
  const next = expected === undefined ? showKey(alias) : moveTo(scene, expected, [alias]);
  return {
    kind: "halt",
    finding: finding("ALIAS_MOVED", alias, observations, next, context.nowMs),
  };
}

/** The read of a key before a command names it: it may not be able to have an alias. */
export function keyFirst(scene: Scene, keyId: string): Decision | undefined {
  return observeFirst(scene, [{ kind: "key", key: keyId }]);
}

/** The command that moves these aliases to a version whose key was observed. */
export function moveTo({ observed }: Scene, { keyId }: Version, aliases: string[]): string {
  const target = valueOf(observed.key[keyId]);
  return target === undefined ? showKey(keyId) : pointAt(target, aliases);
}

/** The version of the wrong key. Infrastructure code that names a key resets its alias at each apply. */
function which({ versions }: Pick<ManagedKey, "versions">, keyId: string): [string, string] {
  const version = versions.find((one) => one.keyId === keyId);
  if (version?.state === "pending-activation") {
    return [` (version ${version.number}, not activated yet)`, ""];
  }
  if (version?.retiredAtMs === undefined) return ["", ""];
  return [
    ` (version ${version.number}, retired at ${isoOf(version.retiredAtMs)})`,
    "; infrastructure code that names the old key may have moved it",
  ];
}
