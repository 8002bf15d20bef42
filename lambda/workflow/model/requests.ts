/** Operators' requests for a managed key, and CloudTrail's reports of uses of its versions. */
import type { Destructive } from "./managed-key.ts";

/**
 * Who asked, and why; `id` orders the requests and is unique. With `ifHead` keyturn fulfils it only
 * while the journal still ends in the line of this hash: exactly what was planned, or nothing.
 */
type WellFormedRequest = { id: string; by: string; reason: string; ifHead?: string };

/**
 * One request for one managed key. `version` names the version: a late or repeated request does not
 * affect another one.
 */
export type Request =
  /** Open the next rotation now. */
  | (WellFormedRequest & { kind: "rotate" })
  /** Revoke this version soon: shortens the waits, never the evidence. */
  | (WellFormedRequest & { kind: "compromised"; version: number })
  /** Return from this version, active or about to be, to the previous one. */
  | (WellFormedRequest & { kind: "rollback"; version: number })
  | (WellFormedRequest & { kind: "pause" })
  | (WellFormedRequest & { kind: "resume" })
  /** Approves the evidence of this version's drain; `override`: any evidence. */
  | (WellFormedRequest & {
      kind: "approve";
      version: number;
      /** Hash of the approved evidence; empty with `override`. */
      evidence: string;
      /** The call that it approves. */
      of: Destructive;
      /** The needs that it accepts, by id (docs/requests.md). */
      accepts: string[];
      override: boolean;
      /** The typed alias with `override`; otherwise empty. */
      confirm: string;
    })
  /** This dependent is ready for this new version. */
  | (WellFormedRequest & { kind: "acknowledge"; version: number; dependent: string })
  /** Takes the key policy of this version with this hash as intended. */
  | (WellFormedRequest & { kind: "accept-policy"; version: number; policy: string })
  /** Show the record as KMS's state implies it; with `proposal`, write what was shown. */
  | (WellFormedRequest & { kind: "reconcile"; proposal?: number })
  /** Manage the key behind this alias under this policy, up to `disable`. */
  | (WellFormedRequest & { kind: "enrol"; policy: string })
  /** Remove keyturn's tags, and stop managing it; `confirm` is the typed alias. */
  | (WellFormedRequest & { kind: "un-enrol"; confirm: string })
  /** Not a known request: rejected, and reported. */
  | { id: string; kind: "malformed"; why: string };

export type RequestKind = Exclude<Request["kind"], "malformed">;

/** An attempt to use a KMS key that is Disabled or pending deletion, as CloudTrail reports it. */
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
