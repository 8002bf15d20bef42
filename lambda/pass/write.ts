import type { Stored, Table } from "../ports.ts";

/** The claim was lost to another run: nothing more may be written, and nothing more is. */
export class ClaimLost extends Error {
  override readonly name = "ClaimLost";
}

/** Writes the aggregate on condition that nobody else did since it was read. */
export async function write(table: Table, before: Stored, next: Stored): Promise<Stored> {
  const written = await tryWrite(table, before, next);
  if (written === undefined) throw new ClaimLost(`${next.record.alias}: another run took over`);
  return written;
}

/** The aggregate as it was written; undefined where somebody else claimed or wrote it meanwhile. */
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
