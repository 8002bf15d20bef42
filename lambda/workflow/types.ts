/**
 * The words of the workflow: what the record of a managed key holds, and what can be decided. Plain
 * data, so that all of it can be stored, compared and printed.
 */
import type { EventName } from "./events.ts";
import type { Finding } from "./findings.ts";
import type { Call, KeyShape, LastUse, Look, Seen, Tags } from "./kms.ts";

export type * from "./kms.ts";

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
  lastAttemptAtMs?: number;
  /** How many of them gave no answer, and made no key that could be found. */
  misses: number;
  /** The epoch whose CreateKey has no definite answer on record. */
  unansweredEpoch?: number;
};

/** Why a version comes back, and since when KMS has accepted to enable it. */
export type Restored = { because: "alias" | "use"; enabledAtMs?: number };

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
  /** revoke: that the old version is to come back; until nothing can disable it any longer. */
  restored?: Restored;
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
  resting: string;
};

/** One line of history; the store numbers it, stamps it and chains it by hash. */
export type EntryDraft = {
  event: EventName;
  reason: string;
  rotationId?: string;
  step?: Step;
  detail: Record<string, string | number>;
};

/** The record as something made it, and the line of history that says so. */
export type Transition = { next: ManagedKey; entry: EntryDraft };

/** Which of the open matters of a managed key a decision belongs to. */
export type Matter =
  | { kind: "enrolment" }
  /** The version that serves, and those long out of use: is each where it should be, is it where it should be, and is it time for the next? */
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
  /** Matters whose call KMS refused in this turn, by `matterName`, and what that amounts to. */
  parked: Record<string, Decision>;
};

/** What every decision about a managed key is made from. */
export type Scene = { record: ManagedKey; seen: Seen; moment: Moment };

/** What a step decides from: also its rotation, and the version that it is to replace. */
export type StepScene = Scene & { rotation: Rotation; old: Version };
