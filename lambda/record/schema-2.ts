/** Names that differ between schema 2 and 3, and the conversion of records to schema 3. */
import type { Finding, FindingCode } from "../workflow/model/findings.ts";
import type {
  Approval,
  Evidence,
  Hold,
  ManagedKey,
  Policy,
  Reactivation,
  Restored,
  Rotation,
  Version,
  VersionState,
} from "../workflow/model/types.ts";

type Standing =
  "created" | "serving" | "draining" | "retained" | "disabled" | "deletion-scheduled" | "returning";

export type VersionOfSchema2 = Omit<Version, "state"> & { standing: Standing };
export type FindingOfSchema2 = Omit<Finding, "code" | "observed"> & { code: string; seen: string };
type HoldOfSchema2 = Omit<Hold, "kind" | "reason"> & {
  kind: "pause" | "rollback" | "attempt";
  seen: string;
};
export type EvidenceOfSchema2 = Omit<Evidence, "observedAtMs"> & { lookedAtMs: number };

type ApprovalOfSchema2 = Omit<Approval, "of" | "accepts">;

type RenamedInRotation =
  | "approval"
  | "evidence"
  | "reactivation"
  | "stackReportedAtMs"
  | "watchTestedAtMs"
  | "restored"
  | "policy";

/**
 * `policy` and `restored` are the same in both; listed for schema 1, which has fewer fields of
 * them.
 */
export type RotationOfSchema2 = Omit<Rotation, RenamedInRotation> & {
  policy: Policy;
  evidence?: EvidenceOfSchema2;
  restored?: Restored;
  approval?: ApprovalOfSchema2;
  revived?: Reactivation;
  stackToldAtMs?: number;
  watchAskedAtMs?: number;
};

type RenamedInRecord = "holds" | "fulfilled" | "rejected" | "waitingFor";

export type RecordOfSchema2 = Omit<
  ManagedKey,
  RenamedInRecord | "schema" | "versions" | "rotations" | "closed" | "findings"
> & {
  schema: 2;
  versions: VersionOfSchema2[];
  rotations: RotationOfSchema2[];
  closed: RotationOfSchema2[];
  findings: FindingOfSchema2[];
  stops: HoldOfSchema2[];
  honoured: ManagedKey["fulfilled"];
  refused: ManagedKey["rejected"];
  resting: string;
};

/** The attributes of an item of schema 2 that schema 3 does not write: a write removes them. */
export const replacedAttributes = ["stops", "honoured", "refused", "resting"] as const;

const stateOf: Record<Standing, VersionState> = {
  created: "pending-activation",
  serving: "active",
  draining: "draining",
  retained: "retained",
  disabled: "disabled",
  "deletion-scheduled": "pending-deletion",
  returning: "reactivating",
};

const renamedCodes: Record<string, FindingCode> = {
  REQUEST_REFUSED: "REQUEST_REJECTED",
  VERSION_GONE: "VERSION_DELETED",
  KIND_NOT_SERVED: "KEY_KIND_UNSUPPORTED",
};

/** The present code of a finding that an earlier version made. */
export function presentCode(code: string): FindingCode {
  return renamedCodes[code] ?? (code as FindingCode);
}

export function fromSchema2(old: RecordOfSchema2): ManagedKey {
  const { stops, honoured, refused, resting, versions, rotations, closed, findings, ...rest } = old;
  return {
    ...rest,
    schema: 3,
    versions: versions.map(({ standing, ...version }) => ({
      ...version,
      state: stateOf[standing],
    })),
    rotations: rotations.map(rotationFromSchema2),
    closed: closed.map(rotationFromSchema2),
    findings: findings.map(presentFinding),
    holds: stops.map(({ kind, seen, ...hold }) => ({
      ...hold,
      kind: kind === "attempt" ? "restored" : kind,
      reason: seen,
    })),
    fulfilled: honoured,
    rejected: refused,
    waitingFor: resting,
  };
}

/** Also accepts one of schema 3, unchanged: a closed rotation has no schema number. */
export function rotationFromSchema2(old: RotationOfSchema2 | Rotation): Rotation {
  const { stackToldAtMs, watchAskedAtMs, revived, evidence, approval, ...rest } =
    old as RotationOfSchema2 & Rotation;
  return {
    ...rest,
    ...(evidence === undefined ? {} : { evidence: evidenceFromSchema2(evidence) }),
    // An approval of an earlier version never says that a deletion was meant.
    ...(approval === undefined ? {} : { approval: approvalFromSchema2(approval) }),
    ...(stackToldAtMs === undefined ? {} : { stackReportedAtMs: stackToldAtMs }),
    ...(watchAskedAtMs === undefined ? {} : { watchTestedAtMs: watchAskedAtMs }),
    ...(revived === undefined ? {} : { reactivation: revived }),
  };
}

function approvalFromSchema2(approval: ApprovalOfSchema2 | Approval): Approval {
  return "of" in approval ? approval : { ...approval, of: "disable", accepts: [] };
}

function evidenceFromSchema2(evidence: EvidenceOfSchema2 | Evidence): Evidence {
  if (!("lookedAtMs" in evidence)) return evidence;
  const { lookedAtMs, ...rest } = evidence;
  return { ...rest, observedAtMs: lookedAtMs };
}

/** Also accepts one of schema 3: the item of the audit's findings has no schema number. */
export function presentFinding(old: FindingOfSchema2 | Finding): Finding {
  const code = presentCode(old.code);
  if (!("seen" in old)) return { ...old, code };
  const { seen, ...rest } = old;
  return { ...rest, code, observed: seen };
}
