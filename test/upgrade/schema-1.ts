/**
 * What the release before schema 2 (commit 2e2602f) wrote in one life of a managed key with two
 * aliases and `retire: "delete"`, recorded once from that release: a fixed record, never made anew.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RecordOfSchema1, RotationOfSchema1 } from "../../lambda/record/migrate.ts";
import type { JournalEntry } from "../../lambda/ports.ts";
import type { KeySnapshot } from "../../embedded-aws/kms/snapshot.ts";

/** The aggregate as it lay in the table. */
export type StoredOfSchema1 = {
  record: RecordOfSchema1;
  journalHead: string;
  outbox: JournalEntry[];
};

export type Moment = {
  moment: string;
  nowMs: number;
  stored: StoredOfSchema1;
  /** Every key of the account then, its key policy being the one that KMS gives by default. */
  kms: Omit<KeySnapshot, "arn" | "policy" | "grants" | "manager">[];
  /** Managed keys by the id of the KMS key that was bound to them. */
  bindings: Record<string, string>;
};

type Schema1 = { commit: string; moments: Moment[]; closedRotation: RotationOfSchema1 };

export const { moments, closedRotation } = JSON.parse(
  readFileSync(join(import.meta.dirname, "schema-1.json"), "utf8"),
) as Schema1;

export function momentOf(name: string): Moment {
  const found = moments.find(({ moment }) => moment.startsWith(name));
  if (found === undefined) throw new Error(`no moment ${name}`);
  return found;
}
