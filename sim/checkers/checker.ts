/**
 * What the checkers of a simulated world can read, and when the world calls them. They have the
 * oracle, the complete true state. They know nothing about how either rotator works.
 */
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type { Claimed, ClaimRequest, Stored } from "../../lambda/ports.ts";
import type { Call, Claim, Policy } from "../../lambda/workflow/model/types.ts";
import type { KmsKey, World } from "../../embedded-aws/kms/types.ts";
import type { Lockout } from "../world/lockout.ts";
import type { Applied } from "../world/shared-kms.ts";

export type Invariant =
  | "I1 the alias is on an Enabled key"
  | "I2 nothing is put out of use under an alias"
  | "I3 nothing is put out of use without evidence"
  | "I4 one rotation, one successor"
  | "I5 kept data stays readable"
  | "I6 every transition has its line"
  | "I7 due work gets done"
  | "drift is never overwritten"
  | "a plan applies unchanged, or not"
  | "an old use attempt restores nothing"
  | "what is needed stays"
  | "a lock-out is reported"
  | "a change by others is reported"
  | "a grant of manage() holds"
  | "no orphan"
  | "one run, one pass"
  | "one claim, one pass"
  | "a call under way is on record"
  | "no bug";

/** How old the basis of a call may be: KMS reads lag, a run may stall, a request takes time. */
export const knowledgeMs = 12 * 60_000;

export type Violation = { invariant: Invariant; atMs: number; what: string };

export type Facts = {
  nowMs: () => number;
  kms: World;
  /** The principal whose calls the checkers judge. */
  ours: string;
  policies: Map<string, Policy>;
  /** Changing calls of ours that have left their process and have not arrived yet. */
  flights: Iterable<{ call: Call }>;
  interventions: Interventions;
  uses: Map<string, number[]>;
  /** For each request id of a planned request: the last journal line that the operator had read. */
  plans: Map<string, { head: string; revision: number }>;
  /** When KMS refused each use attempt, by the id of its event. */
  attempts: Map<string, number>;
  violated: (invariant: Invariant, what: string) => void;
};

export interface Checker {
  /** Before any principal's call that changes a key or an alias takes effect. */
  beforeChange?(operation: string, input: Record<string, unknown>, by: string): void;
  onChange?(applied: Applied): void;
  /** A pass received the answer to its claim; `holder` is the claim now in the table. */
  onClaim?(alias: string, request: ClaimRequest, answer: Claimed, holder: Claim | undefined): void;
  onWrite?(before: Stored | undefined, after: Stored): void;
  /** An application used this key successfully. */
  onUse?(keyId: string): void;
  /** A resource needs this key; `isMet`: KMS served it. */
  onNeed?(resource: { keyId: string }, isMet: boolean): void;
  /** KMS refused a caller that needs a key. */
  onLockout?(lockout: Lockout): void;
  onOutage?(alias: string, error: Error): void;
  onUnreadable?(alias: string, keyId: string): void;
  /** After the calm, when all work should be done. */
  atEnd?(): void;
}

/** Who changed what, and when: a violation that an external actor caused does not count. */
export class Interventions {
  readonly #last = new Map<string, { by: string; atMs: number }>();
  readonly #outside = new Map<string, number>();
  readonly #ours: string;

  constructor(ours: string) {
    this.#ours = ours;
  }

  /** `what`: a key id, an alias, or one of its aspects. */
  touched(what: string, by: string, atMs: number): void {
    this.#last.set(what, { by, atMs });
    if (by !== this.#ours) this.#outside.set(what, atMs);
  }

  /** Whether an external actor changed it since then. */
  byOthersSince(what: string, sinceMs: number): boolean {
    return (this.#outside.get(what) ?? -Infinity) >= sinceMs;
  }

  /** Whether an external actor changed it last. */
  lastByOthers(what: string): boolean {
    const last = this.#last.get(what);
    return last !== undefined && last.by !== this.#ours;
  }
}

const changesState: Record<Call["kind"], boolean> = {
  CreateKey: false,
  CreateGrant: false,
  UpdateAlias: false,
  TagResource: false,
  UntagResource: false,
  EnableKey: true,
  DisableKey: true,
  ScheduleKeyDeletion: true,
  CancelKeyDeletion: true,
};

/** Records who changes what. */
export function bookkeeper(interventions: Interventions): Checker {
  return {
    onChange({ operation, input, principalArn: by, atMs }) {
      if (Object.hasOwn(changesState, operation) && changesState[operation as Call["kind"]])
        interventions.touched(keyIdIn(input), by, atMs);
      if (operation.endsWith("Alias")) {
        interventions.touched(String(input.AliasName), by, atMs);
        if (input.TargetKeyId !== undefined)
          interventions.touched(`onto ${keyIdIn(input)}`, by, atMs);
      }
      if (operation === "TagResource" || operation === "UntagResource") {
        interventions.touched(`tags of ${keyIdIn(input)}`, by, atMs);
      }
    },
  };
}

export function keyIdIn(input: Record<string, unknown>): string {
  return String(input.TargetKeyId ?? input.KeyId);
}

/** A short name for a key. */
export function nameOf(key: KmsKey | undefined, keyId: string): string {
  const version = key?.tags.get(tagNames.version);
  const alias = key?.tags.get(tagNames.alias) ?? "";
  const short = keyId.slice(0, 8);
  return version === undefined ? short : `${short} (version ${version} of ${alias})`;
}
