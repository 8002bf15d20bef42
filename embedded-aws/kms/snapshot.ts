/** The twin's state as plain data, without key material, for comparison in tests. */
import type { World } from "./types.ts";

export type KeySnapshot = {
  keyId: string;
  arn: string;
  state: string;
  spec: string;
  usage: string;
  origin: string;
  manager: string;
  description: string;
  createdAtMs: number;
  deletionAtMs?: number;
  policy: string;
  tags: Record<string, string>;
  aliases: string[];
  grants: { grantId: string; grantee: string; operations: string[] }[];
  /** Visible or not yet visible. */
  lastUse?: { operation: string; atMs: number };
};

export type KmsSnapshot = { keys: KeySnapshot[]; aliases: Record<string, string> };

export function snapshotOf(world: World): KmsSnapshot {
  const aliases = [...world.aliases.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const keys = [...world.keys.values()].map((key): KeySnapshot => {
    const use = key.uses.at(-1);
    return {
      keyId: key.keyId,
      arn: key.arn,
      state: key.state,
      spec: key.spec,
      usage: key.usage,
      origin: key.origin,
      manager: key.manager,
      description: key.description,
      createdAtMs: key.createdAtMs,
      ...(key.deletionAtMs === undefined ? {} : { deletionAtMs: key.deletionAtMs }),
      policy: key.policy.text,
      tags: Object.fromEntries(key.tags),
      aliases: [...key.aliasNames].sort(),
      grants: [...key.grants.values()].map(({ grantId, grantee, operations }) => ({
        grantId,
        grantee,
        operations,
      })),
      ...(use === undefined ? {} : { lastUse: { operation: use.operation, atMs: use.atMs } }),
    };
  });
  return { keys, aliases: Object.fromEntries(aliases.map((alias) => [alias.name, alias.keyId])) };
}
