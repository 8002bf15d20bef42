/** The operator who approves deletions: reads the evidence in the finding, and asks the data's owners. */
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import type { JournalEntry } from "../lambda/ports.ts";
import type { Agenda } from "./agenda.ts";
import { codesOf } from "./narrator.ts";
import { tableName } from "./stage.ts";
import type { Entry } from "./timeline.ts";

const approvesAfterMs = 26 * 3_600_000;

type Asked = { version: number; evidence: string };

/** The deletions that the text of a finding asks an operator to approve. */
export function askedIn(text: string): Asked[] {
  const pattern = /to delete version (\d+), .*?; evidence ([0-9a-f]{64})/g;
  return [...text.matchAll(pattern)].map(([, version, evidence = ""]) => {
    return { version: Number(version), evidence };
  });
}

/** Writes the request item that `npx keyturn approve` writes. */
export async function approve(alias: string, id: string, asked: Asked): Promise<void> {
  const key = { pk: `request#${alias}`, sk: id, queue: "due", dueAtMs: 1 };
  const Item = marshall({ ...key, kind: "approve", of: "delete", by: "ada", ...asked });
  const dynamoDb = new DynamoDBClient({});
  await dynamoDb.send(new PutItemCommand({ TableName: tableName, Item }));
  dynamoDb.destroy();
}

export class Approver {
  readonly #agenda: Agenda;
  #approvals = 0;

  constructor(agenda: Agenda) {
    this.#agenda = agenda;
  }

  /** keyturn's event of a finding: the approval follows a day later. */
  receive({ event, alias, detail, reason }: JournalEntry): void {
    if (event !== "findings-opened" || !codesOf(detail.came).includes("APPROVAL_REQUIRED")) return;
    for (const asked of askedIn(reason)) {
      this.#agenda.after(approvesAfterMs, () => this.#approve(alias, asked));
    }
  }

  async #approve(alias: string, asked: Asked): Promise<Entry[]> {
    this.#approvals += 1;
    await approve(alias, `approval-${String(this.#approvals).padStart(4, "0")}`, asked);
    const what = `approves the deletion of v${asked.version} with an item in the table`;
    const why = "no backup and no other account needs it";
    return [{ atMs: this.#agenda.nowMs(), who: "operator", aliases: [alias], what, why }];
  }
}
