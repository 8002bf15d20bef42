/** What can be decided of a managed key, and from what. */
import type { EventName } from "./events.ts";
import type { Finding } from "./findings.ts";
import type { Call, KmsRead, ObservedState } from "./kms.ts";
import type { Request, UseAttempt } from "./requests.ts";
import type { Home, ManagedKey, Rotation, Step, Version } from "./managed-key.ts";

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
  | { kind: "active" }
  /** Its tags are taken off, and it is left alone. */
  | { kind: "un-enrolment" }
  | { kind: "rotation"; rotationId: string }
  | { kind: "extra"; keyId: string };

export type Decision =
  /** Nothing can be said before these were looked at. */
  | { kind: "observe"; reads: KmsRead[] }
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
export type Context = {
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
  /** In `plan` no changing call is made: what is next is only said. */
  mode: Mode;
  /** The table that the record was read from. */
  tableId: string;
  /** The hash of the line that its journal ends in. */
  head: string;
  /** Absent: nothing is known of any event, and nothing is waited for. */
  drainWatch?: DrainWatch;
  /** What people ask, in order, and none of it honoured yet. */
  requests: Request[];
  /** Somebody tried to use a version that is out of use. */
  attempt?: UseAttempt;
};

export type Mode = "act" | "plan";

/** How attempts to use what is out of use are heard of. */
export type DrainWatch = "cloudtrail" | "none";

/** What every decision about a managed key is made from. */
export type Scene = { record: ManagedKey; observed: ObservedState; context: Context };

/** What a step decides from: also its rotation, and the version that it is to replace. */
export type StepScene = Scene & { rotation: Rotation; old: Version };
