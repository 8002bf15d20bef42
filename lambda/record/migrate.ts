/**
 * The schema of the record: this code writes the present one, converts the two earlier ones on
 * reading, and does not change records of newer code.
 */
import type { ManagedKey, Rotation } from "../workflow/model/types.ts";
import { fromSchema1, rotationFromSchema1, type RecordOfSchema1 } from "./schema-1.ts";
import type { RotationOfSchema1 } from "./schema-1.ts";
import { fromSchema2, rotationFromSchema2, type RecordOfSchema2 } from "./schema-2.ts";
import type { RotationOfSchema2 } from "./schema-2.ts";

/** The schema that this code writes. */
export const schema = 3;

/** The oldest schema that it reads. */
export const oldestSchema = 1;

export type Read =
  /** `storedSchema` is the schema of the stored item. */
  | { kind: "readable"; record: ManagedKey; storedSchema: number }
  | { kind: "newer-schema"; schema: number };

/** The record in the present schema, or that its schema is newer. */
export function readRecord(stored: { schema: number }): Read {
  const storedSchema = stored.schema;
  switch (storedSchema) {
    case schema:
      return { kind: "readable", record: stored as ManagedKey, storedSchema };
    case 2:
      return { kind: "readable", record: fromSchema2(stored as RecordOfSchema2), storedSchema };
    case oldestSchema: {
      const record = fromSchema2(fromSchema1(stored as RecordOfSchema1));
      return { kind: "readable", record, storedSchema };
    }
    default:
      return { kind: "newer-schema", schema: storedSchema };
  }
}

/** A closed rotation: its item has no schema number. */
export function migrateRotation(stored: object): Rotation {
  const old = stored as RotationOfSchema1 | RotationOfSchema2;
  return rotationFromSchema2(rotationFromSchema1(old));
}
