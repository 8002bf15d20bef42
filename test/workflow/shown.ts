/** A KMS with keys that are, by their tags, versions of the managed key. */
import { rebuild, type Rebuilt } from "../../lambda/workflow/requests/rebuilt.ts";
import type { Key, Scene, Tags } from "../../lambda/workflow/model/types.ts";
import { alias, aScene, present, observedKey, type Setting } from "./scene.ts";

export type Shown = { keyId: string; number?: string; tags?: Tags } & Partial<Omit<Key, "keyId">>;

/** A KMS with these keys, tagged as versions of the managed key; the alias is on the first. */
export function shows(keys: Shown[], setting: Setting = {}): Scene {
  const scene = aScene(setting);
  const observations = keys.map(({ keyId, number = keyId.slice(-1), tags = {}, ...key }) => ({
    keyId,
    key: observedKey(keyId, key),
    tags: present({
      "keyturn:owner": "acme",
      "keyturn:alias": alias,
      "keyturn:version": number,
      ...tags,
    }),
  }));
  const observed = {
    ...scene.observed,
    key: {
      ...Object.fromEntries(observations.map(({ keyId, key }) => [keyId, key])),
      [alias]: observations[0]?.key ?? { kind: "absent" as const },
      ...(setting.observed?.key ?? {}),
    },
    tags: {
      ...Object.fromEntries(observations.map(({ keyId, tags }) => [keyId, tags])),
      ...(setting.observed?.tags ?? {}),
    },
  } as Scene["observed"];
  observed.lineage[alias] = present(keys.map(({ keyId }) => ({ keyId, tags: {} })));
  return { ...scene, observed };
}

/** The record rebuilt from what KMS shows. */
export function done(scene: Scene): Rebuilt {
  const rebuilt = rebuild(scene);
  if ("why" in rebuilt) throw new Error(rebuilt.why);
  return rebuilt;
}

/** Version 2 is active, and version 1 is retired. */
export const two: Shown[] = [
  { keyId: "key-2" },
  { keyId: "key-1", tags: { "keyturn:retired": "r1" } },
];
