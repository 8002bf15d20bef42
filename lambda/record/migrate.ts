/**
 * The schema of the record: this code writes the present one, reads the two before it as if they were
 * the present one, and leaves alone what newer code wrote.
 */
import type { ManagedKey, Rotation } from "../workflow/model/types.ts";
import { fromSchema1, rotationFromSchema1, type RecordOfSchema1 } from "./schema-1.ts";
import type { RotationOfSchema1 } from "./schema-1.ts";
import { fromSchema2, rotationFromSchema2, type RecordOfSchema2 } from "./schema-2.ts";
import type { RotationOfSchema2 } from "./schema-2.ts";

/** What this code writes. */
export const schema = 3;

/** The oldest that it reads. */
export const oldestSchema = 1;

export type Read =
  /** `storedSchema` is the schema that it is stored in. */
  | { kind: "readable"; record: ManagedKey; storedSchema: number }
  | { kind: "newer-schema"; schema: number };

/** The record as this code knows it, whatever schema it is stored in, or that it cannot be read. */
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

/** A closed rotation, which is an item without a number of its schema. */
export function migrateRotation(stored: object): Rotation {
  const old = stored as RotationOfSchema1 | RotationOfSchema2;
  return rotationFromSchema2(rotationFromSchema1(old));
}
