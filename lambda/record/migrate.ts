/**
 * The schema of the aggregate: this code writes the present one, reads the one before it as if it
 * were the present one, and leaves alone what newer code wrote.
 */
import { dayMs } from "../workflow/model/limits.ts";
import type {
  Evidence,
  ManagedKey,
  Policy,
  Restored,
  Rotation,
  Version,
} from "../workflow/model/types.ts";

/** What this code writes. */
export const schema = 2;

/** The oldest that it reads. */
export const oldestSchema = 1;

type PolicyOfSchema1 = Omit<Policy, "acknowledgeWithinMs">;
type EvidenceOfSchema1 = Omit<Evidence, "hash">;
type RestoredOfSchema1 = Pick<Restored, "because" | "enabledAtMs">;

/** A rotation as schema 1 has it; an item of a closed one has no number to tell its schema by. */
export type RotationOfSchema1 = Omit<
  Rotation,
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
  ManagedKey,
  NewInSchema2 | "schema" | "policy" | "rotations" | "closed"
> & {
  schema: 1;
  policy: PolicyOfSchema1;
  rotations: RotationOfSchema1[];
  closed: RotationOfSchema1[];
};

export type Read =
  /** `seen` is the schema that it is stored in. */
  { kind: "readable"; record: ManagedKey; seen: number } | { kind: "newer-schema"; schema: number };

/** The record as this code knows it, whatever schema it is stored in, or that it cannot be read. */
export function readRecord(stored: { schema: number }): Read {
  const { schema: seen } = stored;
  switch (seen) {
    case schema:
      return { kind: "readable", record: stored as ManagedKey, seen };
    case oldestSchema:
      return { kind: "readable", record: migrate(stored as RecordOfSchema1), seen };
    default:
      return { kind: "newer-schema", schema: seen };
  }
}

export function migrate(old: RecordOfSchema1): ManagedKey {
  const { versions, rotations, closed } = old;
  return {
    ...old,
    schema,
    policy: migratePolicy(old.policy),
    versions: versions.map((version) => migrateVersion(version, rotations)),
    rotations: rotations.map(migrateRotation),
    closed: closed.map(migrateRotation),
    dependents: [],
    enrolledBy: "configuration",
    // Of no table in particular: the present one is adopted.
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

/** Schema 1 kept the label with the rotation alone, and that of a closed one elsewhere. */
function migrateVersion(version: Version, rotations: RotationOfSchema1[]): Version {
  const { number, standing } = version;
  if (standing === "created" || standing === "serving") return version;
  const out = rotations.find(({ from }) => from === number);
  if (out === undefined) return { ...version, label: "unknown" };
  return out.labelledAtMs === undefined ? version : { ...version, label: out.id };
}

/** Also takes one that is of the present schema, and leaves it as it is. */
export function migrateRotation(old: RotationOfSchema1 | Rotation): Rotation {
  const { policy, evidence, restored, ...rest } = old;
  return {
    // Schema 1 knew no way back.
    direction: "forward",
    dependents: [],
    acknowledgedAtMs: {},
    episode: 1,
    ...rest,
    policy: migratePolicy(policy),
    // No approval was ever bound to evidence of schema 1.
    ...(evidence === undefined ? {} : { evidence: { hash: "", ...evidence } }),
    ...(restored === undefined
      ? {}
      : { restored: { cancel: false, relabelled: false, ...restored } }),
  };
}

function migratePolicy(old: PolicyOfSchema1 | Policy): Policy {
  return { acknowledgeWithinMs: 7 * dayMs, ...old };
}
