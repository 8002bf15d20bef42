/** The two sides of the Table port, what a test needs to look behind them, and records to put in. */
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { onTestFinished } from "vitest";
import { createTable } from "../../lambda/aws/dynamodb.ts";
import { genesisHash, transition } from "../../lambda/journal.ts";
import type { ClaimRequest, JournalEntry, Stored, Table } from "../../lambda/ports.ts";
import type { Finding } from "../../lambda/workflow/findings.ts";
import { newManagedKey } from "../../lambda/workflow/record.ts";
import type { EntryDraft, ManagedKey, Rotation, Version } from "../../lambda/workflow/types.ts";
import type { EmbeddedAws } from "../../sim/embedded-aws.ts";
import { createTableTwin } from "../../sim/ports/table.ts";
import { aHome, aKey, aPolicy, minuteMs } from "../fixtures.ts";
import { anAws, sdkConfig } from "./sides.ts";

export const nowMs = Date.UTC(2027, 0, 1);
export const alias = "alias/orders";
export const keyId = aKey().keyId;

export type TableLab = {
  table: Table;
  /** The lines that are in items of their own, oldest first. */
  archived: (alias: string) => Promise<JournalEntry[]>;
  auditFindings: () => Promise<Finding[]>;
};

export type WireTableLab = TableLab & { aws: EmbeddedAws };

export const tableSides: [side: string, open: () => Promise<TableLab>][] = [
  ["the SDK adapter, on DynamoDB", aWireTableLab],
  ["the twin", () => Promise.resolve(aTwinTableLab())],
];

export async function aWireTableLab(): Promise<WireTableLab> {
  const aws = await anAws();
  const TableName = "keyturn";
  await aws.createStateTable(TableName);
  const client = new DynamoDB(sdkConfig(aws.endpoint));
  onTestFinished(() => client.destroy());
  const itemsOf = async <T>(pk: string, from: string): Promise<T[]> => {
    const { Items } = await client.query({
      TableName,
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :from)",
      ExpressionAttributeValues: { ":pk": { S: pk }, ":from": { S: from } },
    });
    return (Items ?? []).map((item) => {
      const { pk: _, sk: __, ...rest } = unmarshall(item);
      return rest as T;
    });
  };
  return {
    aws,
    table: createTable(TableName, sdkConfig(aws.endpoint)),
    archived: (of) => itemsOf<JournalEntry>(`key#${of}`, "journal#"),
    auditFindings: async () => {
      const [state] = await itemsOf<{ findings?: Finding[] }>("audit", "state");
      return state?.findings ?? [];
    },
  };
}

function aTwinTableLab(): TableLab {
  const table = createTableTwin();
  return {
    table,
    archived: (of) => Promise.resolve(table.journal(of)),
    auditFindings: () => Promise.resolve(table.auditFindings()),
  };
}

export function aRecord(changes: Partial<ManagedKey> = {}): ManagedKey {
  const home = aHome(changes.alias === undefined ? {} : { alias: changes.alias });
  return { ...newManagedKey("acme", home, nowMs), ...changes };
}

export function aVersion(changes: Partial<Version> = {}): Version {
  const { arn, createdAtMs, spec, usage, origin, multiRegion } = aKey();
  const shape = { spec, usage, origin, multiRegion };
  return { number: 1, keyId, arn, shape, standing: "serving", createdAtMs, ...changes };
}

/** Of the fields that a table keeps and does not ask about. */
export function aRotation(changes: Partial<Rotation> = {}): Rotation {
  const rotation = {
    id: "rotation-1",
    from: 1,
    to: 2,
    step: "drain",
    openedAtMs: nowMs,
    stepSinceMs: nowMs,
    policy: aPolicy(),
    movedAtMs: { [alias]: nowMs },
    grantsCopied: [],
    intent: {
      aliases: [alias],
      shape: aVersion().shape,
      policyHash: "hash",
      tags: { "keyturn:owner": "acme" },
      description: "",
      writtenAtMs: nowMs,
      attempts: 1,
      misses: 0,
    },
  };
  return { ...(structuredClone(rotation) as Rotation), ...changes };
}

export function aFinding(changes: Partial<Finding> = {}): Finding {
  const base = { code: "OVERDUE", subject: alias, seen: "since then", next: "aws …" } as const;
  return { ...base, sinceMs: nowMs, ...changes };
}

/** A line of history after those that `stored` has. */
export function transitionOf(stored: Stored, changes: Partial<ManagedKey> = {}): Stored {
  const draft: EntryDraft = { event: "opened", reason: "it is time", detail: { to: 2, of: alias } };
  return transition(stored, { ...stored.record, ...changes }, draft, nowMs);
}

export function aStored(record = aRecord()): Stored {
  return { record, journalHead: genesisHash, outbox: [] };
}

export function aClaim(changes: Partial<ClaimRequest> = {}): ClaimRequest {
  const at = changes.nowMs ?? nowMs;
  return {
    runId: "run-1",
    nowMs: at,
    untilMs: at + 5 * minuteMs,
    dueAgainAtMs: at + 6 * minuteMs,
    ...changes,
  };
}

/** Claims what has to be free. */
export async function claimed(table: Table, request = aClaim(), of = alias): Promise<Stored> {
  const answer = await table.claim(of, request);
  if (answer.kind !== "claimed") throw new Error(`${of} is ${answer.kind}`);
  return answer.stored;
}

/** What the table holds of a managed key that has to be there. */
export async function held(table: Table, of = alias): Promise<ManagedKey> {
  const stored = await table.read(of);
  if (stored === undefined) throw new Error(`no record of ${of}`);
  return stored.record;
}
