/** The one key that all aliases of a managed key point at. */
import { finding } from "./findings.ts";
import { isoOf } from "./iso.ts";
import { lookFirst, valueOf } from "./sights.ts";
import type { Decision, Key, Look, ManagedKey, Moment, Scene } from "./types.ts";

export type AliasTarget = { kind: "target"; key: Key } | { kind: "not"; decision: Decision };

export function aliasTarget(scene: Scene): AliasTarget {
  const { record, seen, moment } = scene;
  const { aliases } = record;
  const looks: Look[] = aliases.map((alias) => ({ kind: "key", key: alias }));
  const first = lookFirst(scene, looks);
  if (first !== undefined) return { kind: "not", decision: first };
  let target: Key | undefined;
  for (const alias of aliases) {
    const key = valueOf(seen.key[alias]);
    if (key === undefined) return { kind: "not", decision: aliasNotFound(alias, moment) };
    if (target !== undefined && target.keyId !== key.keyId) {
      const sights = `${record.alias} points at ${target.keyId}, ${alias} at ${key.keyId}`;
      const next = `aws kms update-alias --alias-name ${alias} --target-key-id ${target.keyId}`;
      const split = finding("ALIAS_SET_SPLIT", alias, sights, next, moment.nowMs);
      return { kind: "not", decision: { kind: "halt", finding: split } };
    }
    target = key;
  }
  if (target === undefined) throw new Error(`${record.alias} has no aliases`);
  return { kind: "target", key: target };
}

export function aliasNotFound(alias: string, moment: Moment): Decision {
  const seen = `${alias} does not exist`;
  const next = `aws kms create-alias --alias-name ${alias} --target-key-id <key id>`;
  return { kind: "halt", finding: finding("ALIAS_NOT_FOUND", alias, seen, next, moment.nowMs) };
}

/** Somebody else moved it: never overwritten, always told. */
export function aliasMoved(
  record: Pick<ManagedKey, "versions">,
  alias: string,
  key: Key | undefined,
  expectedKeyId: string,
  moment: Moment,
): Decision {
  if (key === undefined) return aliasNotFound(alias, moment);
  const by = putBack(record, key.keyId);
  const seen = `${alias} points at ${key.keyId}, not at ${expectedKeyId}${by}`;
  const next = `aws kms update-alias --alias-name ${alias} --target-key-id ${expectedKeyId}`;
  return { kind: "halt", finding: finding("ALIAS_MOVED", alias, seen, next, moment.nowMs) };
}

/** Infrastructure code has the target that it was written with, and puts it back at each apply. */
function putBack({ versions }: Pick<ManagedKey, "versions">, keyId: string): string {
  const version = versions.find((one) => one.keyId === keyId);
  if (version?.retiredAtMs === undefined) return "";
  return `: back on version ${version.number}, which it had left at ${isoOf(version.retiredAtMs)}, as an apply of code that names its key does`;
}
