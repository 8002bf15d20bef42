import type { Stored, Table } from "../ports.ts";

/** Another run has the claim: this one writes nothing more. */
export class ClaimLost extends Error {
  override readonly name = "ClaimLost";
}

/** Writes the aggregate if no other write came after the read. */
export async function write(table: Table, before: Stored, next: Stored): Promise<Stored> {
  const written = await tryWrite(table, before, next);
  if (written === undefined) throw new ClaimLost(`${next.record.alias}: another run took over`);
  return written;
}

/** The written aggregate; undefined if another run claimed or wrote it in the meantime. */
export async function tryWrite(
  table: Table,
  before: Stored,
  next: Stored,
): Promise<Stored | undefined> {
  const { revision, epoch } = before.record;
  const counted = { ...next, writes: before.writes + 1 };
  const written = await table.write(counted, { revision, epoch, writes: before.writes });
  return written.kind === "written" ? counted : undefined;
}
