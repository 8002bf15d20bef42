/**
 * Recordings from earlier versions of managed keys with two aliases, at every step of a rotation;
 * they never change. Schema 1 is from commit 2e2602f, schema 2 from commit 5c51f73.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KeySnapshot } from "../../embedded-aws/kms/snapshot.ts";
import type { JournalEntry } from "../../lambda/ports.ts";
import type { RecordOfSchema1, RotationOfSchema1 } from "../../lambda/record/schema-1.ts";
import type { RecordOfSchema2, RotationOfSchema2 } from "../../lambda/record/schema-2.ts";

/** The record as stored in the table. */
export type StoredOfEarlier = {
  record: RecordOfSchema1 | RecordOfSchema2;
  journalHead: string;
  outbox: JournalEntry[];
};

export type Recorded = {
  moment: string;
  nowMs: number;
  stored: StoredOfEarlier;
  /** Every key of the account at that moment, with KMS's default key policy. */
  kms: Omit<KeySnapshot, "arn" | "policy" | "grants" | "manager">[];
  /** Managed keys by the id of the KMS key bound to them. */
  bindings: Record<string, string>;
};

export type Recording = {
  moments: Recorded[];
  closedRotation: RotationOfSchema1 | RotationOfSchema2;
  /** The whole journals of the recorded histories; schema 1 has none. */
  journals?: { name: string; head: string; lines: JournalEntry[] }[];
};

function read(name: string): Recording {
  return JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8")) as Recording;
}

export const schema1 = read("schema-1.json");
export const schema2 = read("schema-2.json");

/** Every moment of both, with a name. */
export const recorded: [name: string, moment: Recorded][] = [
  ...schema1.moments.map((one): [string, Recorded] => [`schema 1, ${one.moment}`, one]),
  ...schema2.moments.map((one): [string, Recorded] => [`schema 2, ${one.moment}`, one]),
];

export function momentOf({ moments }: Recording, name: string): Recorded {
  const found = moments.find(({ moment }) => moment.startsWith(name));
  if (found === undefined) throw new Error(`no recording of ${name}`);
  return found;
}
