/** The decisions about a managed key, and their inputs. */
import type { EventName } from "./events.ts";
import type { Finding } from "./findings.ts";
import type { AcceptedRefusal } from "./refusals.ts";
import type { Call, KmsRead, ObservedState } from "./kms.ts";
import type { Request, UseAttempt } from "./requests.ts";
import type { Home, ManagedKey, Rotation, Step, Version } from "./managed-key.ts";

/** One journal line; the store numbers it, stamps it and chains it by hash. */
export type EntryDraft = {
  event: EventName;
  reason: string;
  rotationId?: string;
  step?: Step;
  detail: Record<string, string | number>;
};

/** The changed record, and the journal line that records the change. */
export type Transition = { next: ManagedKey; entry: EntryDraft };

/** The open matter of a managed key that a decision belongs to. */
export type Matter =
  | { kind: "enrolment" }
  /** The active version, and those out of use: are the aliases right, and is a rotation due? */
  | { kind: "active" }
  /** keyturn removes its tags, and leaves the keys as they are. */
  | { kind: "un-enrolment" }
  | { kind: "rotation"; rotationId: string }
  | { kind: "extra"; keyId: string };

export type Decision =
  /** These reads must come first; `last`: only where the pass has nothing else to do. */
  | { kind: "observe"; reads: KmsRead[]; last?: true }
  /** The record changes; KMS does not. */
  | { kind: "change"; next: ManagedKey; entry: EntryDraft }
  | { kind: "call"; call: Call; matter: Matter; reason: string }
  /** `finding`: what an operator must know while this matter waits; other matters continue. */
  | { kind: "wait"; untilMs: number; reason: string; finding?: Finding }
  /** The settle rule forbids the call for now. */
  | { kind: "blocked"; untilMs: number; reason: string }
  | { kind: "retry"; reason: string }
  | { kind: "halt"; finding: Finding };

/** The inputs of a decision, besides the record and the observed state. */
export type Context = {
  nowMs: number;
  /** The epoch of the claim this run holds. */
  epoch: number;
  /** The configuration of this managed key; undefined where it is no longer configured. */
  home: Home | undefined;
  /** An id for a rotation that opens now. */
  newRotationId: string;
  /** This epoch made a call and does not know its answer. */
  uncertain: boolean;
  /** Matters whose call KMS refused in this pass, by `matterName`, and the resulting decision. */
  parked: Record<string, Decision>;
  /** In `plan` keyturn makes no changing call: it only reports the next one. */
  mode: Mode;
  /** The table that the record was read from. */
  tableId: string;
  /** The hash of the last line of its journal. */
  head: string;
  /** Absent: no event received, and none expected. */
  drainWatch?: DrainWatch;
  /** Absent: no refused use is collected. */
  refusalsWatch?: DrainWatch;
  /** The refusals of this managed key's callers that the configuration accepts. */
  acceptedRefusals?: AcceptedRefusal[];
  /** The open requests, in order. */
  requests: Request[];
  /** An attempt to use a version that is out of use. */
  attempt?: UseAttempt;
};

export type Mode = "act" | "plan";

/** How keyturn learns of attempts to use a version that is out of use. */
export type DrainWatch = "cloudtrail" | "none";

/** The inputs of every decision about a managed key. */
export type Scene = { record: ManagedKey; observed: ObservedState; context: Context };

/** The inputs of a step: also its rotation, and the version that the rotation replaces. */
export type StepScene = Scene & { rotation: Rotation; old: Version };
