/** A KMS in which keys say, by their tags, that they are versions of the managed key. */
import { rebuild, type Rebuilt } from "../../lambda/workflow/requests/rebuilt.ts";
import type { Key, Scene, Tags } from "../../lambda/workflow/model/types.ts";
import { alias, aScene, saw, sawKey, type Setting } from "./scene.ts";

export type Shown = { keyId: string; number?: string; tags?: Tags } & Partial<Omit<Key, "keyId">>;

/** KMS shows these keys, by their tags versions of the managed key; the alias is on the first. */
export function shows(keys: Shown[], setting: Setting = {}): Scene {
  const scene = aScene(setting);
  const sights = keys.map(({ keyId, number = keyId.slice(-1), tags = {}, ...key }) => ({
    keyId,
    key: sawKey(keyId, key),
    tags: saw({
      "keyturn:owner": "acme",
      "keyturn:alias": alias,
      "keyturn:version": number,
      ...tags,
    }),
  }));
  const seen = {
    ...scene.seen,
    key: {
      ...Object.fromEntries(sights.map(({ keyId, key }) => [keyId, key])),
      [alias]: sights[0]?.key ?? { kind: "absent" as const },
      ...(setting.seen?.key ?? {}),
    },
    tags: {
      ...Object.fromEntries(sights.map(({ keyId, tags }) => [keyId, tags])),
      ...(setting.seen?.tags ?? {}),
    },
  } as Scene["seen"];
  seen.lineage[alias] = saw(keys.map(({ keyId }) => ({ keyId, tags: {} })));
  return { ...scene, seen };
}

/** The record rebuilt from what KMS shows. */
export function done(scene: Scene): Rebuilt {
  const rebuilt = rebuild(scene);
  if ("why" in rebuilt) throw new Error(rebuilt.why);
  return rebuilt;
}

/** Version 2 serves, and version 1 is retired. */
export const two: Shown[] = [
  { keyId: "key-2" },
  { keyId: "key-1", tags: { "keyturn:retired": "r1" } },
];
