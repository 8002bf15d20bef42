import type { Key, KeyShape } from "./types.ts";

export function shapeOf(key: KeyShape | Key): KeyShape {
  return {
    spec: key.spec,
    usage: key.usage,
    origin: key.origin,
    multiRegion: key.multiRegion,
    ...(key.customKeyStoreId === undefined ? {} : { customKeyStoreId: key.customKeyStoreId }),
  };
}

export function sameShape(a: KeyShape, b: KeyShape): boolean {
  return (
    a.spec === b.spec &&
    a.usage === b.usage &&
    a.origin === b.origin &&
    a.multiRegion === b.multiRegion &&
    a.customKeyStoreId === b.customKeyStoreId
  );
}
