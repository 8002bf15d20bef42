/** The operator who approves deletions: reads the evidence in the finding, and asks the data's owners. */
import type { JournalEntry } from "../lambda/ports.ts";
import type { Agenda } from "./agenda.ts";
import { codesOf } from "./narrator.ts";
import { writeRequest } from "./request-item.ts";
import type { Entry } from "./timeline.ts";

const approvesAfterMs = 26 * 3_600_000;

type Deletion = { version: number; evidence: string };

/** The deletions that the text of a finding asks an operator to approve. */
export function deletionsIn(text: string): Deletion[] {
  const pattern = /to delete version (\d+), .*?; evidence ([0-9a-f]{64})/g;
  return [...text.matchAll(pattern)].map(([, version, evidence = ""]) => {
    return { version: Number(version), evidence };
  });
}

export async function approve(alias: string, id: string, deletion: Deletion): Promise<void> {
  await writeRequest(alias, id, { kind: "approve", of: "delete", ...deletion });
}

export class Approver {
  readonly #agenda: Agenda;
  #approvals = 0;

  constructor(agenda: Agenda) {
    this.#agenda = agenda;
  }

  /** keyturn's event of a finding: the approval follows a day later. */
  receive({ event, alias, detail, reason }: JournalEntry): void {
    if (event !== "findings-opened" || !codesOf(detail.opened).includes("APPROVAL_REQUIRED"))
      return;
    for (const deletion of deletionsIn(reason)) {
      this.#agenda.after(approvesAfterMs, () => this.#approve(alias, deletion));
    }
  }

  async #approve(alias: string, deletion: Deletion): Promise<Entry[]> {
    this.#approvals += 1;
    await approve(alias, `approval-${String(this.#approvals).padStart(4, "0")}`, deletion);
    const what = `approves the deletion of v${deletion.version} with an item in the table`;
    const why = "no backup and no other account needs it";
    return [{ atMs: this.#agenda.nowMs(), who: "operator", aliases: [alias], what, why }];
  }
}
