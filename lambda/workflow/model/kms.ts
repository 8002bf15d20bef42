/** What keyturn reads from KMS, the changes it asks for, and the possible answers. */

import type { Refusals, RefusalsWatch } from "./refusals.ts";

export type KeyState =
  | "Creating"
  | "Enabled"
  | "Disabled"
  | "PendingDeletion"
  | "PendingImport"
  | "PendingReplicaDeletion"
  | "Unavailable"
  | "Updating";

/** What CreateKey needs to create a key like the previous one, apart from policy and tags. */
export type KeyShape = {
  spec: string;
  usage: string;
  origin: string;
  multiRegion: boolean;
  customKeyStoreId?: string;
};

/** What DescribeKey returns. */
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

/** A key as a search by tags returns it: the search may lag, and name deleted keys. */
export type TaggedKey = { keyId: string; tags: Tags };

/**
 * `hash` is over the canonical form, equal for two spellings of one policy, without keyturn's own
 * statement; `aliasOnly` are the aliases that this statement names, where the policy has it.
 */
export type KeyPolicy = { document: string; hash: string; aliasOnly?: string[] };

export type Grant = {
  grantId: string;
  name?: string;
  /** The ARN of a principal, or the name of a service where `granteeIsService`. */
  grantee: string;
  granteeIsService?: true;
  retiring?: string;
  retiringIsService?: true;
  operations: string[];
  constraints?: {
    encryptionContextEquals?: Record<string, string>;
    encryptionContextSubset?: Record<string, string>;
    /** The resource on whose behalf the grantee may act. */
    sourceArn?: string;
  };
  /** The members that this code does not know, by name, each in canonical JSON: no copy has them. */
  notUnderstood?: Record<string, string>;
};

/** A grant as keyturn makes it: for a customer's principal, and with every member of its original. */
export type GrantCopy = Pick<Grant, "name" | "grantee" | "retiring" | "operations" | "constraints">;

/**
 * What GetKeyLastUsage returns. "never" counts from the later of creation and the start of tracking;
 * every other answer is "unknown", and unknown is not unused.
 */
export type LastUse =
  | { kind: "used"; atMs: number; operation: string; eventId?: string }
  | { kind: "never"; sinceMs: number }
  | { kind: "unknown"; why: string };

/** The answer to a read: the value, or that it is absent or that KMS denied the read. */
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
  | { kind: "public-key"; keyId: string }
  /** Whether KMS itself rotates the material of the key. */
  | { kind: "auto-rotation"; keyId: string }
  /** Keys that carry the tags of this rotation. */
  | { kind: "successors"; rotationId: string }
  /** Keys with the tags of a version of this managed key. */
  | { kind: "lineage"; alias: string }
  /** Whether CloudTrail's events reach the function; this read calls KMS about this key. */
  | { kind: "watch"; keyId: string }
  /** The refused uses of a managed key; this read calls no KMS. */
  | { kind: "refusals"; alias: string }
  /** Whether refused uses are collected; this read calls KMS about this key, at most daily. */
  /** A canary is a call on this key. */
  | { kind: "refusals-watch"; alias: string; keyId: string };

/** All observations since the last changing call, by kind of read and subject. */
export type ObservedState = {
  key: Record<string, Observation<Key>>;
  aliases: Record<string, Observation<string[]>>;
  policy: Record<string, Observation<KeyPolicy>>;
  tags: Record<string, Observation<Tags>>;
  grants: Record<string, Observation<Grant[]>>;
  /** With a hash over key id and answer; an approval names this hash. */
  "last-use": Record<string, Observation<{ lastUse: LastUse; hash: string }>>;
  /** DER SubjectPublicKeyInfo, in Base64. */
  "public-key": Record<string, Observation<string>>;
  /** Absent where KMS cannot rotate such a key. */
  "auto-rotation": Record<string, Observation<boolean>>;
  successors: Record<string, Observation<string[]>>;
  lineage: Record<string, Observation<TaggedKey[]>>;
  /** When the event of the last canary call arrived; absent where none ever did. */
  watch: Record<string, Observation<{ heardAtMs: number }>>;
  /** Absent where none was ever collected. */
  refusals: Record<string, Observation<Refusals>>;
  "refusals-watch": Record<string, Observation<RefusalsWatch>>;
};

export type Call =
  | { kind: "CreateKey"; shape: KeyShape; policy: string; description: string; tags: Tags }
  /** `copyOf` is the id of the copied grant on the old version. */
  | { kind: "CreateGrant"; keyId: string; grant: GrantCopy; copyOf?: string }
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
  /** IAM does not know a principal of a grant, or not yet. */
  | "UnknownPrincipal"
  | "PastDeadline"
  | "Other";

/**
 * The result of a changing call. `refused` is definite: it had no effect. `unknown` is not: the
 * call may have taken effect, may not have, or may still do so.
 */
export type Outcome =
  | { kind: "done"; keyId?: string; arn?: string; createdAtMs?: number; deletionAtMs?: number }
  | { kind: "refused"; refusal: Refusal; message: string }
  | { kind: "unknown"; message: string };
