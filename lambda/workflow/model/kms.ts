/** What can be seen of KMS, what it can be asked to change, and how it may answer. */

export type KeyState =
  | "Creating"
  | "Enabled"
  | "Disabled"
  | "PendingDeletion"
  | "PendingImport"
  | "PendingReplicaDeletion"
  | "Unavailable"
  | "Updating";

/** What CreateKey needs to make a key like the one before, its policy and tags apart. */
export type KeyShape = {
  spec: string;
  usage: string;
  origin: string;
  multiRegion: boolean;
  customKeyStoreId?: string;
};

/** What DescribeKey says. */
export type Key = KeyShape & {
  keyId: string;
  arn: string;
  state: KeyState;
  managedBy: "AWS" | "CUSTOMER";
  description: string;
  createdAtMs: number;
  deletionAtMs?: number;
};

export type Tags = Record<string, string>;

/** A key as a search by tags has it: that may lag, and name what is gone. */
export type TaggedKey = { keyId: string; tags: Tags };

/**
 * `hash` is over the canonical form, so that two spellings of one policy are equal, and without
 * keyturn's own statement; `aliasOnly` are the aliases that the statement names, where it is there.
 */
export type KeyPolicy = { document: string; hash: string; aliasOnly?: string[] };

export type Grant = {
  grantId: string;
  name?: string;
  grantee: string;
  retiring?: string;
  operations: string[];
  constraints?: {
    encryptionContextEquals?: Record<string, string>;
    encryptionContextSubset?: Record<string, string>;
  };
};

/**
 * What GetKeyLastUsage says. "never" is proof only where tracking began no later than the key;
 * "unknown" is everything else, and unknown is not quiet.
 */
export type LastUse =
  | { kind: "used"; atMs: number; operation: string; eventId?: string }
  | { kind: "never"; sinceMs: number }
  | { kind: "unknown"; why: string };

/** The answer to a look: what was asked for, or that it is absent or may not be seen. */
export type Observation<T> =
  { kind: "observed"; value: T } | { kind: "absent" } | { kind: "denied"; message: string };

export type KmsRead =
  /** `key` is a key id or an alias name. */
  | { kind: "key"; key: string }
  | { kind: "aliases"; keyId: string }
  | { kind: "policy"; keyId: string }
  | { kind: "tags"; keyId: string }
  | { kind: "grants"; keyId: string }
  | { kind: "last-use"; keyId: string }
  /** Keys that carry the tags of this rotation. */
  | { kind: "successors"; rotationId: string }
  /** Keys that say they are versions of this managed key of ours. */
  | { kind: "lineage"; alias: string }
  /** Whether CloudTrail's events come back to us; asking for it calls KMS about this key. */
  | { kind: "watch"; keyId: string };

/** Everything looked at since the last changing call, by kind of look and what was looked at. */
export type ObservedState = {
  key: Record<string, Observation<Key>>;
  aliases: Record<string, Observation<string[]>>;
  policy: Record<string, Observation<KeyPolicy>>;
  tags: Record<string, Observation<Tags>>;
  grants: Record<string, Observation<Grant[]>>;
  /** With a hash over key id and answer, which an approval is bound to. */
  "last-use": Record<string, Observation<{ lastUse: LastUse; hash: string }>>;
  successors: Record<string, Observation<string[]>>;
  lineage: Record<string, Observation<TaggedKey[]>>;
  /** When the event came of a call that was made for that alone; absent where none ever did. */
  watch: Record<string, Observation<{ heardAtMs: number }>>;
};

export type Call =
  | { kind: "CreateKey"; shape: KeyShape; policy: string; description: string; tags: Tags }
  /** `copyOf` is the old version's grant of which this is the copy. */
  | { kind: "CreateGrant"; keyId: string; grant: Omit<Grant, "grantId">; copyOf?: string }
  | { kind: "UpdateAlias"; alias: string; keyId: string }
  | { kind: "TagResource"; keyId: string; tags: Tags }
  | { kind: "UntagResource"; keyId: string; names: string[] }
  | { kind: "CancelKeyDeletion"; keyId: string }
  | { kind: "EnableKey"; keyId: string }
  | { kind: "DisableKey"; keyId: string }
  | { kind: "ScheduleKeyDeletion"; keyId: string; windowDays: number };

export type Refusal =
  | "AccessDenied"
  | "Throttled"
  | "LimitExceeded"
  | "InvalidState"
  | "NotFound"
  | "MalformedPolicy"
  | "PastDeadline"
  | "Other";

/**
 * What became of a changing call. `refused` is definite: it had no effect. `unknown` is not: it may
 * have happened, may not, or may still happen.
 */
export type Outcome =
  | { kind: "done"; keyId?: string; arn?: string; createdAtMs?: number; deletionAtMs?: number }
  | { kind: "refused"; refusal: Refusal; message: string }
  | { kind: "unknown"; message: string };
