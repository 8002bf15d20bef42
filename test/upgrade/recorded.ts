/**
 * What earlier versions wrote of managed keys with two aliases, at every step of a rotation: fixed
 * recordings, never made anew. Schema 1 is of commit 2e2602f, schema 2 of commit 5c51f73.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KeySnapshot } from "../../embedded-aws/kms/snapshot.ts";
import type { JournalEntry } from "../../lambda/ports.ts";
import type { RecordOfSchema1, RotationOfSchema1 } from "../../lambda/record/schema-1.ts";
import type { RecordOfSchema2, RotationOfSchema2 } from "../../lambda/record/schema-2.ts";

/** The record as it lay in the table. */
export type StoredOfEarlier = {
  record: RecordOfSchema1 | RecordOfSchema2;
  journalHead: string;
  outbox: JournalEntry[];
};

export type Recorded = {
  moment: string;
  nowMs: number;
  stored: StoredOfEarlier;
  /** Every key of the account then, its key policy being the one that KMS gives by default. */
  kms: Omit<KeySnapshot, "arn" | "policy" | "grants" | "manager">[];
  /** Managed keys by the id of the KMS key that was bound to them. */
  bindings: Record<string, string>;
};

export type Recording = {
  moments: Recorded[];
  closedRotation: RotationOfSchema1 | RotationOfSchema2;
  /** The whole journals of the histories that it was recorded from; schema 1 has none. */
  journals?: { name: string; head: string; lines: JournalEntry[] }[];
};

function read(name: string): Recording {
  return JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8")) as Recording;
}

export const schema1 = read("schema-1.json");
export const schema2 = read("schema-2.json");

/** Every moment of both, each under a name. */
export const recorded: [name: string, moment: Recorded][] = [
  ...schema1.moments.map((one): [string, Recorded] => [`schema 1, ${one.moment}`, one]),
  ...schema2.moments.map((one): [string, Recorded] => [`schema 2, ${one.moment}`, one]),
];

export function momentOf({ moments }: Recording, name: string): Recorded {
  const found = moments.find(({ moment }) => moment.startsWith(name));
  if (found === undefined) throw new Error(`nothing is recorded of ${name}`);
  return found;
}
