/**
 * What callers were refused on the versions of one managed key, as CloudTrail reports it. A second, small
 * function collects it; a run reads it as one more observation.
 */

/** The calls of one principal, by one operation, that KMS refused with one error. */
export type RefusedUse = {
  /** Without the name of its session. */
  principal: string;
  /** The name in CloudTrail; for ReEncrypt the half that was denied, ReEncryptFrom or ReEncryptTo. */
  operation: string;
  error: string;
  firstAtMs: number;
  lastAtMs: number;
  /** When it was last refused before the version was retired; while the version is active, before it became active. */
  lastBeforeMs?: number;
  /** Counts events, which may arrive twice. */
  count: number;
  /** Present where the message says that no resource-based policy, or grant, allows the call. */
  byKeyPolicy?: true;
  /** When it was last stored. */
  storedAtMs: number;
};

/** All uses beyond the first twenty. */
export type OtherRefusals = {
  firstAtMs: number;
  lastAtMs: number;
  count: number;
  /** When the newest principal, operation or error among them was refused. */
  grownAtMs: number;
  /** When the newest one was stored: its event may come long after the call. */
  joinedAtMs: number;
  /** When each was refused, as in `RefusedUse`, by the name of its use; not all where there are too many. */
  known: Record<string, [firstAtMs: number, lastAtMs: number, lastBeforeMs?: number]>;
  isFull?: true;
  storedAtMs: number;
};

/** `uses`: by a name that stands for principal, operation and error, equal on every version. */
export type RefusedOn = {
  uses: Record<string, RefusedUse>;
  others?: OtherRefusals;
  /** Present where the item became too large: who was refused is no longer known. */
  isDropped?: true;
};

/** The subject of calls that named an alias for data of an older version. */
export const byAlias = "alias";

/** `on`: by key id, and under `byAlias`. `dueAtMs`: set while no pass has read the latest news. */
export type Refusals = { revision: number; on: Record<string, RefusedOn>; dueAtMs?: number };

/**
 * Since when refused uses were collected without a gap, and the last proof of it. `unattributed` counts
 * refused uses whose event names no key.
 */
export type RefusalsWatch = {
  revision: number;
  heardAtMs: number;
  sinceMs: number;
  unattributed: number;
  storedAtMs: number;
};

/** An operator's word in the configuration: this principal is refused on purpose. */
export type AcceptedRefusal = {
  /** An alias, or a pattern with `*`. */
  alias: string;
  principal: string;
  /** `*`: any. */
  operation: string;
  error: string;
};

/** How many uses of a version keep an id of their own; they are never evicted. */
export const usesMax = 20;
