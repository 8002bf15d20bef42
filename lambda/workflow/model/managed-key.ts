/**
 * What the record of a managed key holds. Plain data, so that all of it can be stored, compared and
 * printed.
 */
import type { Finding } from "./findings.ts";
import type { Call, KeyShape, LastUse, Tags } from "./kms.ts";

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
  /** Before which of the two destructive calls a person has to approve of the evidence. */
  approval: "none" | "revoke" | "delete";
  /** How long the dependents that are named have to say that they are ready. */
  acknowledgeWithinMs: number;
};

/**
 * What the configuration says of one managed key. `aliases` is the whole set, its own name first;
 * `dependents` are those that must acknowledge a new version before it serves.
 */
export type Home = { alias: string; aliases: string[]; policy: Policy; dependents: string[] };

export type VersionState =
  | "pending-activation"
  | "active"
  | "draining"
  | "retained"
  | "disabled"
  | "pending-deletion"
  /** Served before, was retired, and is to serve again: a rollback. */
  | "reactivating";

export type Version = {
  number: number;
  keyId: string;
  arn: string;
  shape: KeyShape;
  state: VersionState;
  createdAtMs: number;
  /** Since when it originates: for the first version, since it was created. */
  activatedAtMs?: number;
  /** Since when it only processes. */
  retiredAtMs?: number;
  disabledAtMs?: number;
  deletionAtMs?: number;
  /** That its key policy lets it originate through the managed aliases alone. */
  aliasOnly?: boolean;
  /** Who had it put out of use whatever the evidence: a use attempt does not bring it back. */
  overriddenBy?: string;
  /** The value of its tag `keyturn:retired`; "unknown" from an older schema, or after a lost answer. */
  label?: string;
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
  lastAttemptAtMs?: number;
  /** How many of them gave no answer, and made no key that could be found. */
  misses: number;
  /** The epoch whose CreateKey has no definite answer on record. */
  unansweredEpoch?: number;
};

/**
 * Why a version comes back, and since when KMS has accepted to enable it. `cancel`: the deletion it
 * may be pending for was asked for by us.
 */
export type Restored = {
  because: "alias" | "use" | "attempt";
  enabledAtMs?: number;
  cancelledAtMs?: number;
  cancel: boolean;
  /** That its label says, on the key itself, that it came back. */
  relabelled: boolean;
};

/** What was done, and when, to a version that is to serve again. */
export type Reactivation = {
  cancelledAtMs?: number;
  enabledAtMs?: number;
  unlabelledAtMs?: number;
};

/** `hash` is over the key id and what KMS said: an approval is bound to it. */
export type Evidence = { observedAtMs: number; lastUse: LastUse; hash: string };

/** A person's word that this evidence will do; `override` is their word that none is needed. */
export type Approval = { evidence: string; override: boolean; by: string; atMs: number };

export type Rotation = {
  id: string;
  from: number;
  to: number;
  /** "back": a rollback, from the version that served to one that served before it. */
  direction: "forward" | "back";
  step: Step;
  openedAtMs: number;
  stepSinceMs: number;
  /** Frozen when the rotation opens. */
  policy: Policy;
  intent: Intent;
  /** distribute: when the grants were in place and the new version was first seen Enabled. */
  enabledSinceMs?: number;
  /** A changing call that was announced and has no definite answer on record. */
  unanswered?: Call["kind"];
  /** distribute: grants of the old version, by id, of which KMS accepted the copy. */
  grantsCopied: string[];
  /** distribute: when grants that came late made the wait for propagation begin anew, once. */
  lateGrantsAtMs?: number;
  /** activate: when each alias was moved by us. */
  movedAtMs: Record<string, number>;
  /** drain: since when the minimum time counts; later than the activation where it began anew. */
  drainSinceMs?: number;
  /** drain: when the old version was labelled retired. */
  labelledAtMs?: number;
  evidence?: Evidence;
  /** revoke: when the second look after DisableKey found no alias. */
  soakSinceMs?: number;
  /** revoke: when the evidence of the hour before DisableKey was read. */
  lateUseReadAtMs?: number;
  /** When it was told that a stack has the old version's key. */
  stackReportedAtMs?: number;
  /** Since when it is waited for an event to show that the drain is watched. */
  watchTestedAtMs?: number;
  /** revoke: that the old version is to come back; until nothing can disable it any longer. */
  restored?: Restored;
  /** Whose acknowledgement it waits for, and when each gave it. */
  dependents: string[];
  acknowledgedAtMs: Record<string, number>;
  /** The version it replaces is compromised: waits are as short as KMS allows. */
  urgent?: boolean;
  /** generate: rolled back while a CreateKey may still make a key. */
  cancelledAtMs?: number;
  /** distribute, on the way back. */
  reactivation?: Reactivation;
  /** How often the drain began: a part of the label, so that an older record can be told. */
  episode: number;
  approval?: Approval;
};

/** A key with our tags that no rotation owns up to: found, and put out of use. */
export type Extra = {
  keyId: string;
  rotationId: string;
  /** When the intent of that rotation was written: no key it made is older. */
  madeAfterMs: number;
  foundAtMs: number;
  labelledAtMs?: number;
  quarantinedAtMs?: number;
};

/** Why nothing moves until `resume`; after a rollback, why no rotation opens. */
export type Hold = {
  kind: "pause" | "rollback" | "restored";
  atMs: number;
  by: string;
  /** The version that it is about. */
  version?: number;
  /** What was seen, or the reason that was given. */
  reason: string;
};

/** A rotation that was asked for, and opens as soon as it may. */
export type Wanted = { urgent: boolean; by: string; atMs: number };

/** A request that was done; kept a while longer than its item, so that a copy of it is known. */
export type FulfilledRequest = { id: string; atMs: number };

/** A request that was not done, as long as a person should be told. */
export type RejectedRequest = { id: string; kind: string; why: string; atMs: number };

/** What reconciling would write, as it was shown; `revision` is that of the line that shows it. */
export type Proposal = { revision: number; lines: string[] };

/** What mode `plan` would have called. */
export type Planned = { call: string; subject: string; reason: string; sinceMs: number };

/** `passId` is absent from a claim of version 0.1.0, which no pass takes for its own. */
export type Claim = { runId: string; passId?: string; epoch: number; untilMs: number };
export type Unsettled = { epoch: number; untilMs: number };

/** The aggregate: one managed key, as the table holds it. */
export type ManagedKey = {
  schema: 3;
  alias: string;
  aliases: string[];
  dependents: string[];
  /** Where its policy is named: in the configuration, by the tag of its first version, or by who asked. */
  enrolledBy: "configuration" | "tag" | "request";
  owner: string;
  policy: Policy;
  revision: number;
  epoch: number;
  claim?: Claim;
  unsettled: Unsettled[];
  dueAtMs: number;
  /** When its first version was given our tags, and when it was seen to carry them. */
  taggedAtMs?: number;
  /** Until then it is not managed. */
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
  /** What it waits for, as its last turn had it. */
  waitingFor: string;
  /** The table that it was written in: another one was restored from a backup, or made anew. */
  tableId: string;
  /** The highest number that a version of it ever had. */
  lastNumber: number;
  holds: Hold[];
  wanted?: Wanted;
  fulfilled: FulfilledRequest[];
  rejected: RejectedRequest[];
  proposal?: Proposal;
  /** When it was rebuilt; until KMS was looked at once more, after all earlier calls had landed. */
  reconciledAtMs?: number;
  /** Who asked that it be managed no longer; the keys without our tags; when that was all of them. */
  unenrolment?: { by: string; atMs: number; untagged?: string[]; endedAtMs?: number };
  planned?: Planned;
};
