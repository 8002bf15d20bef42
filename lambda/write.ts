import type { Stored, Table } from "./ports.ts";

/** The claim was lost to another run: nothing more may be written, and nothing more is. */
export class ClaimLost extends Error {
  override readonly name = "ClaimLost";
}

/** Writes the aggregate on condition that nobody else did since it was read. */
export async function write(table: Table, before: Stored, next: Stored): Promise<Stored> {
  const { revision, epoch } = before.record;
  const written = await table.write(next, { revision, epoch });
  if (written.kind === "lost") throw new ClaimLost(`${next.record.alias}: another run took over`);
  return next;
}
