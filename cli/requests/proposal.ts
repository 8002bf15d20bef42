/** The proposal of `reconcile`: the versions of the table and of KMS side by side. */
import type { ManagedKey, Proposal } from "../../lambda/workflow/model/types.ts";
import { tableLines, type Column } from "../terminal/table-view.ts";

export type Row = { number: number; keyId: string; table: string; kms: string };

const linePattern = /^version (\d+), ([^,]+), (.*)$/;

export function sideBySide({ versions }: Pick<ManagedKey, "versions">, { lines }: Proposal): Row[] {
  const rows = new Map<string, Row>();
  for (const { number, keyId, state } of versions) {
    rows.set(keyId, { number, keyId, table: state, kms: "-" });
  }
  for (const line of lines) {
    const [, number = "0", keyId = line, kms = ""] = linePattern.exec(line) ?? [];
    const table = rows.get(keyId)?.table ?? "-";
    rows.set(keyId, { number: Number(number), keyId, table, kms });
  }
  return [...rows.values()].sort((a, b) => a.number - b.number);
}

export function proposalLines(record: ManagedKey, proposal: Proposal, width: number): string[] {
  const columns: Column<Row>[] = [
    { title: "VERSION", cell: ({ number }) => `v${number}`, leaves: 0 },
    { title: "KEY", cell: ({ keyId }) => keyId, leaves: 1, atLeast: 9, isName: true },
    { title: "IN TABLE", cell: ({ table }) => table, leaves: 0 },
    { title: "FROM KMS", cell: ({ kms }) => kms, leaves: 0, atLeast: 12 },
  ];
  return tableLines(columns, sideBySide(record, proposal), width);
}
