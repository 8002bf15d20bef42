/**
 * The words of the workflow: what the record of a managed key holds, what can be seen of KMS, and
 * what can be decided. Plain data, so that all of it can be stored, compared and printed.
 */
import type { Finding } from "./findings.ts";

export type Step = "generate" | "distribute" | "activate" | "drain" | "revoke";

/** A named policy, resolved: every field has a value. Durations in milliseconds. */
export type Policy = {
  name: string;
  cryptoperiodMs: number;
  leadMs: number;
  propagationMs: number;
  originate: "observe" | "alias-only";
  drain: { atLeastMs: number; quietForMs: number; evidence: "required" | "advisory" };
  retire: "retain" | "disable" | "delete";
  soakMs: number;
  deletionWindowDays: number;
  approval: "none" | "revoke";
};

/** What the configuration says of one managed key. `aliases` is the whole set, its own name first. */
export type Home = { alias: string; aliases: string[]; policy: Policy };

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

/** `hash` is over the canonical form, so that two spellings of one policy are equal. */
export type KeyPolicy = { document: string; hash: string };

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
export type Sight<T> =
  { kind: "seen"; value: T } | { kind: "absent" } | { kind: "denied"; message: string };

export type Look =
  /** `key` is a key id or an alias name. */
  | { kind: "key"; key: string }
  | { kind: "aliases"; keyId: string }
  | { kind: "policy"; keyId: string }
  | { kind: "tags"; keyId: string }
  | { kind: "grants"; keyId: string }
  | { kind: "last-use"; keyId: string }
  /** Keys that carry the tags of this rotation. */
  | { kind: "successors"; rotationId: string };

/** Everything looked at since the last changing call, by kind of look and what was looked at. */
export type Seen = {
  key: Record<string, Sight<Key>>;
  aliases: Record<string, Sight<string[]>>;
  policy: Record<string, Sight<KeyPolicy>>;
  tags: Record<string, Sight<Tags>>;
  grants: Record<string, Sight<Grant[]>>;
  "last-use": Record<string, Sight<LastUse>>;
  successors: Record<string, Sight<string[]>>;
};

export type Call =
  | { kind: "CreateKey"; shape: KeyShape; policy: string; description: string; tags: Tags }
  | { kind: "CreateGrant"; keyId: string; grant: Omit<Grant, "grantId"> }
  | { kind: "UpdateAlias"; alias: string; keyId: string }
  | { kind: "TagResource"; keyId: string; tags: Tags }
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

export type Standing =
  "created" | "serving" | "draining" | "retained" | "disabled" | "deletion-scheduled";

export type Version = {
  number: number;
  keyId: string;
  arn: string;
  shape: KeyShape;
  standing: Standing;
  createdAtMs: number;
  /** Since when it originates: for the first version, since it was created. */
  activatedAtMs?: number;
  /** Since when it only processes. */
  retiredAtMs?: number;
  disabledAtMs?: number;
  deletionAtMs?: number;
};

/** What was decided before CreateKey was called, so that a crash cannot lose what was meant. */
export type Intent = {
  aliases: string[];
  shape: KeyShape;
  policyHash: string;
  tags: Tags;
  description: string;
  writtenAtMs: number;
  /** How many times CreateKey was, or may have been, called; the tag `keyturn:attempt`. */
  attempts: number;
  /** The epoch whose CreateKey has no definite answer on record. */
  unansweredEpoch?: number;
};

export type Evidence = { lookedAtMs: number; lastUse: LastUse };

export type Rotation = {
  id: string;
  from: number;
  to: number;
  step: Step;
  openedAtMs: number;
  stepSinceMs: number;
  /** Frozen when the rotation opens. */
  policy: Policy;
  intent: Intent;
  /** distribute: when the grants were in place and the new version was first seen Enabled. */
  enabledSinceMs?: number;
  /** The last changing call that was about to be made: its answer may have been lost. */
  tried?: Call["kind"];
  /** activate: when each alias was moved by us. */
  movedAtMs: Record<string, number>;
  /** drain: when the old version was labelled retired. */
  labelledAtMs?: number;
  evidence?: Evidence;
  /** revoke: when the second look after DisableKey found no alias. */
  soakSinceMs?: number;
  /** revoke: when we enabled the old version again; until it was looked at once more. */
  restoredAtMs?: number;
};

/** A key with our tags that no rotation owns up to: found, and put out of use. */
export type Extra = {
  keyId: string;
  rotationId: string;
  /** When the intent of that rotation was written: no key it made is older. */
  madeAfterMs: number;
  foundAtMs: number;
  labelledAtMs?: number;
  tried?: Call["kind"];
  quarantinedAtMs?: number;
};

export type Claim = { runId: string; epoch: number; untilMs: number };
export type Unsettled = { epoch: number; untilMs: number };

/** The aggregate: one managed key, as the table holds it. */
export type ManagedKey = {
  schema: 1;
  alias: string;
  aliases: string[];
  owner: string;
  policy: Policy;
  revision: number;
  epoch: number;
  claim?: Claim;
  unsettled: Unsettled[];
  dueAtMs: number;
  /** When its first version carried our tags; until then it is not managed. */
  enrolledAtMs?: number;
  /** Aliases of the version that serves which are not ours to move. */
  unlistedAliases: string[];
  /** When the audit saw an alias of it elsewhere than the record says; until looked at closely. */
  suspectedAtMs?: number;
  /** Consecutive turns that ended in retry or without an end; the jitter is drawn once per series. */
  backoff: { tries: number; jitter: number };
  /** When keyturn last created, enrolled or tagged one of its keys: authorization may lag it. */
  authorizationChangedAtMs: number;
  versions: Version[];
  rotations: Rotation[];
  extras: Extra[];
  /** Rotations that ended and are not yet in items of their own. */
  closed: Rotation[];
  findings: Finding[];
};

/** One line of history; the store numbers it, stamps it and chains it by hash. */
export type EntryDraft = {
  event: string;
  reason: string;
  rotationId?: string;
  step?: Step;
  detail: Record<string, string | number>;
};

/** Which of the open matters of a managed key a decision belongs to. */
export type Matter =
  | { kind: "enrolment" }
  /** The version that serves: is it where it should be, and is it time for the next? */
  | { kind: "serving" }
  | { kind: "rotation"; rotationId: string }
  | { kind: "extra"; keyId: string };

export type Decision =
  /** Nothing can be said before these were looked at. */
  | { kind: "look"; looks: Look[] }
  /** The record changes; KMS does not. */
  | { kind: "change"; next: ManagedKey; entry: EntryDraft }
  | { kind: "call"; call: Call; matter: Matter; reason: string }
  /** `finding`: what a person must know while this matter waits; the others of the key go on. */
  | { kind: "wait"; untilMs: number; reason: string; finding?: Finding }
  /** The settle rule stands in the way. */
  | { kind: "blocked"; untilMs: number; reason: string }
  | { kind: "retry"; reason: string }
  | { kind: "halt"; finding: Finding };

/** What decisions are made from, besides record and sights. */
export type Moment = {
  nowMs: number;
  /** The epoch of the claim this run holds. */
  epoch: number;
  /** The configuration's word on this managed key; undefined where it no longer names it. */
  home: Home | undefined;
  /** An id for the rotation that may be opened now. */
  newRotationId: string;
  /** This epoch made a call whose answer it does not know. */
  uncertain: boolean;
};
