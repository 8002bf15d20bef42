/** What the checkers know of callers that KMS refuses, and of the events about it. */

/**
 * `by-alias`: allowed by kms:ResourceAliases. `by-arn`: its policy names the first key. `by-tag`: allowed by a tag.
 * `by-name`: reads old data and names the alias. `by-helper`: holds what `manage()` grants. `scanner`: allowed
 * nothing, calls every key.
 */
export type CallerKind = "by-alias" | "by-arn" | "by-tag" | "by-name" | "by-helper" | "scanner";

export type Caller = {
  kind: CallerKind;
  principalArn: string;
  alias: string;
  /** The first key of its alias, which its policy names. */
  firstKeyId: string;
  kept: Map<string, Uint8Array>;
};

/** `delivered`: when it first reaches the queue; `off`: the trail is off from then on. */
export type Arrival =
  { kind: "delivered"; atMs: number } | { kind: "lost" } | { kind: "off"; sinceMs: number };

/** A refusal of data, or of the key behind the alias, that the caller needs `keyId` for. */
export type Lockout = {
  keyId: string;
  /** The key behind the caller's alias; undefined where the alias does not exist. */
  aliasedKeyId: string | undefined;
  caller: Caller;
  atMs: number;
  arrival: Arrival;
};
