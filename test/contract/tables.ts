/** The two sides of the Table port, direct access to their state, and records for tests. */
import { DynamoDB, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { onTestFinished } from "vitest";
import { keys } from "../../lambda/aws/dynamodb-items.ts";
import { createTable } from "../../lambda/aws/dynamodb.ts";
import { genesisHash, transition } from "../../lambda/record/journal.ts";
import type { ClaimRequest, Expected, JournalEntry, Stored, Table } from "../../lambda/ports.ts";
import type { Finding } from "../../lambda/workflow/model/findings.ts";
import { newManagedKey } from "../../lambda/workflow/model/record.ts";
import type {
  EntryDraft,
  ManagedKey,
  Rotation,
  Version,
} from "../../lambda/workflow/model/types.ts";
import type { EmbeddedAws } from "../../embedded-aws/embedded-aws.ts";
import { createTableTwin } from "../../sim/ports/table.ts";
import { isEmulatorRun } from "../emulator/run.ts";
import { anEmulatedTable } from "../emulator/table.ts";
import { aHome, aKey, aPolicy, minuteMs } from "../fixtures.ts";
import { anAws, sdkConfig } from "./sides.ts";

export const nowMs = Date.UTC(2027, 0, 1);
export const alias = "alias/orders";
export const keyId = aKey().keyId;

export type TableLab = {
  table: Table;
  /** The lines in their own items, oldest first. */
  archived: (alias: string) => Promise<JournalEntry[]>;
  auditFindings: () => Promise<Finding[]>;
  /** Puts a record, in any schema. */
  put: (stored: { record: { alias: string } }) => Promise<void>;
  /** The stored record, in any schema. */
  stored: (alias: string) => Promise<unknown>;
  /** Writes an operator's request for a managed key. */
  ask: (alias: string, id: string, body: Record<string, unknown>) => Promise<void>;
};

export type WireTableLab = TableLab & { aws: EmbeddedAws };

export const tableSides: [side: string, open: () => Promise<TableLab>][] = isEmulatorRun
  ? [["the SDK adapter, on the emulator", anEmulatedTableLab]]
  : [
      ["the SDK adapter, on DynamoDB", aWireTableLab],
      ["the twin", () => Promise.resolve(aTwinTableLab())],
    ];

export async function aWireTableLab(): Promise<WireTableLab> {
  const aws = await anAws();
  const tableName = "keyturn";
  await aws.createStateTable(tableName);
  return { ...aLabOn(tableName, sdkConfig(aws.endpoint)), aws };
}

async function anEmulatedTableLab(): Promise<TableLab> {
  const { tableName, sdk } = await anEmulatedTable();
  return aLabOn(tableName, sdk);
}

function aLabOn(TableName: string, sdk: DynamoDBClientConfig): TableLab {
  const client = new DynamoDB(sdk);
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
  const putItem = async (item: Record<string, unknown>): Promise<void> => {
    const Item = marshall({ ...item, queue: "due" }, { removeUndefinedValues: true });
    await client.putItem({ TableName, Item });
  };
  return {
    put: ({ record, ...rest }) => putItem({ ...keys.record(record.alias), ...record, ...rest }),
    stored: async (of) => {
      const [item] = await itemsOf<Partial<Stored> & { queue: string }>(`key#${of}`, "record");
      if (item === undefined) return undefined;
      const { queue: _, journalHead, outbox, writes, ...record } = item;
      return { record, journalHead, outbox, ...(writes === undefined ? {} : { writes }) };
    },
    ask: (of, id, body) => putItem({ ...body, ...keys.request(of, id), dueAtMs: 0 }),
    table: createTable(TableName, sdk),
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
    auditFindings: () => Promise.resolve(table.choreFindings("audit")),
    put: (stored) => Promise.resolve(table.put(stored)),
    stored: (of) => Promise.resolve(table.stored(of)),
    ask: (of, id, body) => Promise.resolve(table.ask(of, id, body)),
  };
}

export function aRecord(changes: Partial<ManagedKey> = {}): ManagedKey {
  const home = aHome(changes.alias === undefined ? {} : { alias: changes.alias });
  const where = { owner: "acme", tableId: "table-1" };
  return { ...newManagedKey(where, home, "configuration", nowMs), ...changes };
}

export function aVersion(changes: Partial<Version> = {}): Version {
  const { arn, createdAtMs, spec, usage, origin, multiRegion } = aKey();
  const shape = { spec, usage, origin, multiRegion };
  return { number: 1, keyId, arn, shape, state: "active", createdAtMs, ...changes };
}

/** A record whose fields the table stores without interpretation. */
export function aRotation(changes: Partial<Rotation> = {}): Rotation {
  const rotation: Rotation = {
    id: "rotation-1",
    from: 1,
    to: 2,
    direction: "forward",
    step: "drain",
    openedAtMs: nowMs,
    stepSinceMs: nowMs,
    policy: aPolicy(),
    movedAtMs: { [alias]: nowMs },
    grantsCopied: [],
    dependents: [],
    acknowledgedAtMs: {},
    episode: 1,
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
  return { ...structuredClone(rotation), ...changes };
}

export function aFinding(changes: Partial<Finding> = {}): Finding {
  const base = { code: "OVERDUE", subject: alias, observed: "since then", next: "aws …" } as const;
  return { ...base, sinceMs: nowMs, ...changes };
}

/** The next write: one journal line after those of `stored`. */
export function transitionOf(stored: Stored, changes: Partial<ManagedKey> = {}): Stored {
  const draft: EntryDraft = { event: "opened", reason: "it is time", detail: { to: 2, of: alias } };
  const next = transition(stored, { ...stored.record, ...changes }, draft, nowMs);
  return { ...next, writes: stored.writes + 1 };
}

export function aStored(record = aRecord()): Stored {
  return { record, journalHead: genesisHash, outbox: [], writes: 0 };
}

export function aClaim(changes: Partial<ClaimRequest> = {}): ClaimRequest {
  const at = changes.nowMs ?? nowMs;
  return {
    runId: "run-1",
    passId: `pass of ${changes.runId ?? "run-1"}`,
    nowMs: at,
    untilMs: at + 5 * minuteMs,
    dueAgainAtMs: at + 6 * minuteMs,
    taking: "due",
    ...changes,
  };
}

/** The condition of the next write after this one. */
export function expectedAfter({ record: { revision, epoch }, writes }: Stored): Expected {
  return { revision, epoch, writes };
}

/** Claims a managed key that must be free. */
export async function claimed(table: Table, request = aClaim(), of = alias): Promise<Stored> {
  const answer = await table.claim(of, request);
  if (answer.kind !== "claimed") throw new Error(`${of} is ${answer.kind}`);
  return answer.stored;
}

/** The stored state of a managed key that must exist. */
export async function held(table: Table, of = alias): Promise<ManagedKey> {
  const stored = await table.read(of);
  if (stored === undefined) throw new Error(`no record of ${of}`);
  return stored.record;
}
