/** The content of a managed key's record: plain data, to store, compare and print. */
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
  /** The destructive calls before which an operator must approve the evidence. */
  approval: "none" | "revoke" | "delete";
  /** How long the configured dependents have to acknowledge a new version. */
  acknowledgeWithinMs: number;
};

/**
 * The configuration of one managed key. `aliases` is the whole set, its own name first;
 * `dependents` must acknowledge a new version before it becomes active.
 */
export type Home = { alias: string; aliases: string[]; policy: Policy; dependents: string[] };

export type VersionState =
  | "pending-activation"
  | "active"
  | "draining"
  | "retained"
  | "disabled"
  | "pending-deletion"
  /** Was active, was retired, and becomes active again: a rollback. */
  | "reactivating";

export type Version = {
  number: number;
  keyId: string;
  arn: string;
  shape: KeyShape;
  state: VersionState;
  createdAtMs: number;
  /** Since when it originates; for the first version, its creation. */
  activatedAtMs?: number;
  /** Since when it only processes. */
  retiredAtMs?: number;
  /** When the first alias of its set moved to it, and away from it: hours before the others, if calls fail. */
  firstAliasAtMs?: number;
  firstAliasLeftAtMs?: number;
  disabledAtMs?: number;
  /**
   * When keyturn announced its last DisableKey; of several in a row without an answer, the first: it may have taken
   * effect. A use that KMS refused before belongs to an earlier time out of use.
   */
  disablingAtMs?: number;
  deletionAtMs?: number;
  /** Its key policy lets it originate only through the managed aliases. */
  aliasOnly?: boolean;
  /** The operator who overrode the evidence: a use attempt does not restore this version. */
  overriddenBy?: string;
  /** KMS itself rotates its material: at enrolment, or when its rotation opened. */
  autoRotation?: true;
  /** Its public key, archived while it was Enabled: DER SubjectPublicKeyInfo, in Base64. */
  publicKey?: string;
  /**
   * The hash of its key policy: at enrolment, as given to CreateKey, or as an operator accepted it. Without one, the
   * next inspection adds it.
   */
  policyHash?: string;
  /** The hash of the last inspection, where an external actor changed the policy. */
  policyChangedTo?: string;
  /** The value of its tag `keyturn:retired`; "unknown" from an older schema or after a lost answer. */
  label?: string;
};

/** What was decided before the call of CreateKey: a crash cannot lose it. */
export type Intent = {
  aliases: string[];
  shape: KeyShape;
  policyHash: string;
  tags: Tags;
  description: string;
  writtenAtMs: number;
  /** How often CreateKey was, or may have been, called; the tag `keyturn:attempt`. */
  attempts: number;
  lastAttemptAtMs?: number;
  /** How many of them gave no answer and created no key that keyturn could find. */
  misses: number;
  /** The epoch whose CreateKey has no definite answer on record. */
  unansweredEpoch?: number;
};

/**
 * Why keyturn restores a version, and when KMS accepted the calls. `cancel`: keyturn may cancel its
 * deletion.
 */
export type Restored = {
  because: "alias" | "use" | "attempt" | "grant";
  enabledAtMs?: number;
  cancelledAtMs?: number;
  cancel: boolean;
  /** Its label, on the key itself, records the restore. */
  relabelled: boolean;
};

/** When KMS accepted each call that makes a version ready to be active again. */
export type Reactivation = {
  cancelledAtMs?: number;
  enabledAtMs?: number;
  unlabelledAtMs?: number;
};

/** `hash` is over the key id and KMS's answer: an approval names it. */
export type Evidence = { observedAtMs: number; lastUse: LastUse; hash: string };

/** What a destructive call does to the version. An approval is for one of the two. */
export type Destructive = "disable" | "delete";

/**
 * Why a version may be needed that nothing uses. `changedAtMs`: an earlier approval of it is void; Infinity:
 * none accepts it.
 */
export type Need = { id: string; state: string; changedAtMs?: number };

/** An operator's approval of this evidence; `override`: of revoking without evidence. */
export type Approval = {
  evidence: string;
  of: Destructive;
  /** The needs that it accepts, by id. */
  accepts: string[];
  override: boolean;
  by: string;
  atMs: number;
};

export type Rotation = {
  id: string;
  from: number;
  to: number;
  /** "back": a rollback, from the active version to one that was active before it. */
  direction: "forward" | "back";
  step: Step;
  openedAtMs: number;
  stepSinceMs: number;
  /** Frozen when the rotation opens. */
  policy: Policy;
  /** The other accounts that may use the old version, by its key policy and its grants; `*`: any account. */
  sharedWith?: string[];
  intent: Intent;
  /** distribute: when the grants were in place and the new version first read Enabled. */
  enabledSinceMs?: number;
  /** The changing call that was announced and has no definite answer on record. */
  unanswered?: Call["kind"];
  /** distribute: the ids of the old version's grants whose copy KMS accepted. */
  grantsCopied: string[];
  /** The old version's grants that have no copy, because a principal of theirs is deleted: `<grant id>: <principal>`. */
  grantsLeft?: string[];
  /** distribute: when a late grant restarted the propagation wait, at most once. */
  lateGrantsAtMs?: number;
  /** activate: when keyturn moved each alias. */
  movedAtMs: Record<string, number>;
  /** drain: start of the minimum time; later than the activation where the drain restarted. */
  drainSinceMs?: number;
  /** drain: when keyturn labelled the old version retired. */
  labelledAtMs?: number;
  evidence?: Evidence;
  /** revoke: when the second read after DisableKey found no alias. */
  soakSinceMs?: number;
  /** revoke: when keyturn read the evidence of the hour before DisableKey. */
  lateUseReadAtMs?: number;
  /** When keyturn last reported that the old version's key belongs to a stack: before DisableKey, and before the deletion. */
  stackReportedAtMs?: number;
  /** Since when keyturn waits for an event that proves the drain monitored. */
  watchTestedAtMs?: number;
  /** revoke: a restore of the old version; until no earlier call can disable it. */
  restored?: Restored;
  /** The dependents that must acknowledge, and when each did. */
  dependents: string[];
  acknowledgedAtMs: Record<string, number>;
  /** The version that it replaces is compromised: waits are as short as KMS allows. */
  urgent?: boolean;
  /** generate: rolled back while a CreateKey may still create a key. */
  cancelledAtMs?: number;
  /** distribute, in a rollback. */
  reactivation?: Reactivation;
  /** How often the drain began: part of the label, which reveals an older record. */
  episode: number;
  approval?: Approval;
};

/** A key with a rotation's tags that is not its new version: keyturn quarantines it. */
export type Extra = {
  keyId: string;
  rotationId: string;
  /** When that rotation wrote its intent: none of its keys is older. */
  madeAfterMs: number;
  foundAtMs: number;
  labelledAtMs?: number;
  quarantinedAtMs?: number;
};

/** Why nothing moves until `resume`; a rollback holds only new rotations. */
export type Hold = {
  kind: "pause" | "rollback" | "restored";
  atMs: number;
  by: string;
  /** The version concerned. */
  version?: number;
  /** What was observed, or the operator's reason. */
  reason: string;
};

/** A requested rotation, which opens as soon as it may. */
export type Wanted = { urgent: boolean; by: string; atMs: number };

/** A closed request; kept a while longer than its item, to recognise a copy. */
export type FulfilledRequest = { id: string; atMs: number };

/** A rejected request, kept as long as a finding reports it. */
export type RejectedRequest = { id: string; kind: string; why: string; atMs: number };

/** What reconciling would write, as shown; `revision` is that of the line that shows it. */
export type Proposal = { revision: number; lines: string[] };

/** The call that mode `plan` did not make. */
export type Planned = { call: string; subject: string; reason: string; sinceMs: number };

/** A claim of version 0.1.0 has no `passId`: no pass takes it for its own. */
export type Claim = { runId: string; passId?: string; epoch: number; untilMs: number };
export type Unsettled = { epoch: number; untilMs: number };

/** The aggregate: one managed key, as the table holds it. */
export type ManagedKey = {
  schema: 3;
  alias: string;
  aliases: string[];
  dependents: string[];
  /** Where its policy comes from: the configuration, the tag of its first version, or a request. */
  enrolledBy: "configuration" | "tag" | "request";
  owner: string;
  policy: Policy;
  revision: number;
  epoch: number;
  claim?: Claim;
  unsettled: Unsettled[];
  dueAtMs: number;
  /** When KMS accepted keyturn's tags on its first version. */
  taggedAtMs?: number;
  /** When the first version was observed with the tags: managed from then on. */
  enrolledAtMs?: number;
  /** Aliases of the active version that keyturn may not move. */
  unlistedAliases: string[];
  /** When an event or the audit showed a change by an external actor; until an inspection that shows its effect. */
  suspectedAtMs?: number;
  /** When keyturn last read every version that is not deleted. */
  inspectedAtMs?: number;
  /** Consecutive passes that ended in retry or did not finish; one random jitter per series. */
  backoff: { tries: number; jitter: number };
  /** When keyturn last created, enrolled or tagged one of its keys: authorization may lag it. */
  authorizationChangedAtMs: number;
  versions: Version[];
  rotations: Rotation[];
  extras: Extra[];
  /** Closed rotations that do not have items of their own yet. */
  closed: Rotation[];
  findings: Finding[];
  /** What it waits for, as of its last pass. */
  waitingFor: string;
  /** The table that it was written in; in a restored or new table the id differs. */
  tableId: string;
  /** The highest version number it ever had. */
  lastNumber: number;
  holds: Hold[];
  wanted?: Wanted;
  fulfilled: FulfilledRequest[];
  rejected: RejectedRequest[];
  proposal?: Proposal;
  /** When it was rebuilt; until keyturn observes KMS again after all earlier calls have landed. */
  reconciledAtMs?: number;
  /** Since when its refused uses count as collected: none from before a reconciliation does. */
  collectedFromMs?: number;
  /** Who asked to un-enrol it; the keys that are untagged; when all of them were. */
  unenrolment?: { by: string; atMs: number; untagged?: string[]; endedAtMs?: number };
  planned?: Planned;
};
