/** What schema 1 lacks, and the conversion of its records to schema 2. */
import { dayMs } from "../workflow/model/limits.ts";
import type { Policy, Restored } from "../workflow/model/types.ts";
import type {
  EvidenceOfSchema2,
  RecordOfSchema2,
  RotationOfSchema2,
  VersionOfSchema2,
} from "./schema-2.ts";

type PolicyOfSchema1 = Omit<Policy, "acknowledgeWithinMs">;
type EvidenceOfSchema1 = Omit<EvidenceOfSchema2, "hash">;
type RestoredOfSchema1 = Pick<Restored, "because" | "enabledAtMs">;

/** A rotation of schema 1; the item of a closed one has no schema number. */
export type RotationOfSchema1 = Omit<
  RotationOfSchema2,
  "direction" | "dependents" | "acknowledgedAtMs" | "episode" | "policy" | "evidence" | "restored"
> & { policy: PolicyOfSchema1; evidence?: EvidenceOfSchema1; restored?: RestoredOfSchema1 };

type NewInSchema2 =
  | "dependents"
  | "enrolledBy"
  | "tableId"
  | "lastNumber"
  | "stops"
  | "honoured"
  | "refused"
  | "wanted"
  | "proposal"
  | "unenrolment"
  | "planned";

export type RecordOfSchema1 = Omit<
  RecordOfSchema2,
  NewInSchema2 | "schema" | "policy" | "rotations" | "closed"
> & {
  schema: 1;
  policy: PolicyOfSchema1;
  rotations: RotationOfSchema1[];
  closed: RotationOfSchema1[];
};

export function fromSchema1(old: RecordOfSchema1): RecordOfSchema2 {
  const { versions, rotations, closed } = old;
  return {
    ...old,
    schema: 2,
    policy: policyFromSchema1(old.policy),
    versions: versions.map((version) => versionFromSchema1(version, rotations)),
    rotations: rotations.map(rotationFromSchema1),
    closed: closed.map(rotationFromSchema1),
    dependents: [],
    enrolledBy: "configuration",
    // Without a table id: the first pass sets it.
    tableId: "",
    lastNumber: Math.max(
      0,
      ...versions.map(({ number }) => number),
      ...[...rotations, ...closed].filter(hasKey).map(({ to }) => to),
    ),
    stops: [],
    honoured: [],
    refused: [],
  };
}

function hasKey({ step, intent }: RotationOfSchema1): boolean {
  return step !== "generate" || intent.attempts > 0;
}

/** Schema 1 has the label only in the rotation, and that of a closed one in another item. */
function versionFromSchema1(
  version: VersionOfSchema2,
  rotations: RotationOfSchema1[],
): VersionOfSchema2 {
  const { number, standing } = version;
  if (standing === "created" || standing === "serving") return version;
  const out = rotations.find(({ from }) => from === number);
  if (out === undefined) return { ...version, label: "unknown" };
  return out.labelledAtMs === undefined ? version : { ...version, label: out.id };
}

/** Also accepts one of schema 2, and does not change it. */
export function rotationFromSchema1(old: RotationOfSchema1 | RotationOfSchema2): RotationOfSchema2 {
  const { policy, evidence, restored, ...rest } = old;
  return {
    // Schema 1 has no rollback.
    direction: "forward",
    dependents: [],
    acknowledgedAtMs: {},
    episode: 1,
    ...rest,
    policy: policyFromSchema1(policy),
    // No approval was ever bound to evidence of schema 1.
    ...(evidence === undefined ? {} : { evidence: { hash: "", ...evidence } }),
    ...(restored === undefined
      ? {}
      : { restored: { cancel: false, relabelled: false, ...restored } }),
  };
}

function policyFromSchema1(old: PolicyOfSchema1 | Policy): Policy {
  return { acknowledgeWithinMs: 7 * dayMs, ...old };
}
