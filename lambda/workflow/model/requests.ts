/** What people ask of a managed key, and what CloudTrail tells of the use of its versions. */

/**
 * Who asked, and why; `id` orders the requests and is never used twice. With `ifHead` it is done only
 * while the journal still ends in the line of this hash: what was planned, or nothing.
 */
type WellFormedRequest = { id: string; by: string; reason: string; ifHead?: string };

/**
 * One thing asked of one managed key. `version` says which version is meant, so that a request that
 * comes late, or twice, is not done to another.
 */
export type Request =
  /** Open the next rotation now. */
  | (WellFormedRequest & { kind: "rotate" })
  /** This version must go: shortens the waits, never the evidence. */
  | (WellFormedRequest & { kind: "compromised"; version: number })
  /** This version, serving or about to, gives way to the one before it. */
  | (WellFormedRequest & { kind: "rollback"; version: number })
  | (WellFormedRequest & { kind: "pause" })
  | (WellFormedRequest & { kind: "resume" })
  /** The evidence of this version's drain will do; `override`: whatever it says. */
  | (WellFormedRequest & {
      kind: "approve";
      version: number;
      /** Hash of the evidence that was read; empty where it is overridden. */
      evidence: string;
      override: boolean;
      /** The alias, typed, where the evidence is overridden; else empty. */
      confirm: string;
    })
  /** This dependent is ready for this new version. */
  | (WellFormedRequest & { kind: "acknowledge"; version: number; dependent: string })
  /** Show what KMS says the record should be; with `proposal`, write what was shown. */
  | (WellFormedRequest & { kind: "reconcile"; proposal?: number })
  /** Manage the key behind this alias under this policy, up to `disable`. */
  | (WellFormedRequest & { kind: "enrol"; policy: string })
  /** Take our tags off, and manage it no longer; `confirm` is the alias, typed. */
  | (WellFormedRequest & { kind: "un-enrol"; confirm: string })
  /** Nothing that we know: refused, and told. */
  | { id: string; kind: "malformed"; why: string };

export type RequestKind = Exclude<Request["kind"], "malformed">;

/** Somebody tried to use a KMS key that is Disabled or pending deletion, as CloudTrail has it. */
export type UseAttempt = {
  eventId: string;
  keyId: string;
  atMs: number;
  operation: string;
  principal: string;
  /** The AWS service that called on the principal's behalf, where one did. */
  service?: string;
  encryptionContextKeys: string[];
};
