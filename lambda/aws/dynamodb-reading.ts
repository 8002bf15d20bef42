/** What people read of the state, and the requests they write; the function itself needs neither. */
import { PutItemCommand, QueryCommand, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { Chore, DueCursor, JournalEntry, Stored, Table } from "../ports.ts";
import type { Finding } from "../workflow/findings.ts";
import type { ManagedKey } from "../workflow/types.ts";
import { createTable, createTableClient, type TableClient } from "./dynamodb.ts";
import { dueQueue, keys, toItem, type Item } from "./dynamodb-items.ts";

export interface State {
  /** What is wanted of every managed key, in no order; ten thousand records are not held at once. */
  managedKeys<T>(pick: (record: ManagedKey) => T): Promise<T[]>;
  read(alias: string): Promise<Stored | undefined>;
  /** The whole journal, what has not left the record yet included, the first line first. */
  journal(alias: string): Promise<JournalEntry[]>;
  /** When it is due next, and what the last one found; undefined before the first run. */
  chore(chore: Chore): Promise<{ dueAtMs: number; findings: Finding[] } | undefined>;
  /** When the event of a canary came last. */
  heardAtMs(): Promise<number | undefined>;
  /** False where there is an item of this id already. */
  ask(alias: string, id: string, request: Record<string, unknown>): Promise<boolean>;
}

const keysPerPage = 1000;
/** As many as DynamoDB gives in one answer, so many of them at a time. */
const keysPerBatch = 100;
const readers = 2;

export function createState(tableName: string, config: DynamoDBClientConfig): State {
  const db = createTableClient(tableName, config);
  const table = createTable(tableName, config);
  return {
    managedKeys: async (pick) => {
      const aliases = await allAliases(table);
      const batches = Math.ceil(aliases.length / keysPerBatch);
      const picked: ReturnType<typeof pick>[] = [];
      let next = 0;
      const reader = async (): Promise<void> => {
        while (next < batches) {
          const from = keysPerBatch * next++;
          const records = await table.readMany(aliases.slice(from, from + keysPerBatch));
          picked.push(...records.map(pick));
        }
      };
      await Promise.all(Array.from({ length: readers }, reader));
      return picked;
    },
    read: (alias) => table.read(alias),
    journal: async (alias) => {
      // The record first: a line that leaves it meanwhile is in an item of its own by then.
      const stored = await table.read(alias);
      return merged(await journalOf(db, alias), stored?.outbox ?? []);
    },
    chore: async (chore) => {
      const item = await db.get(keys.chore(chore));
      if (item === undefined) return undefined;
      const { dueAtMs, findings = [] } = unmarshall(item) as {
        dueAtMs: number;
        findings?: Finding[];
      };
      return { dueAtMs, findings };
    },
    heardAtMs: () => table.heardAtMs(),
    ask: async (alias, id, request) => {
      const command = new PutItemCommand({
        TableName: tableName,
        Item: toItem({ ...keys.request(alias, id), queue: dueQueue, dueAtMs: 1, ...request }),
        ConditionExpression: "attribute_not_exists(pk)",
      });
      return (await db.attempt((client) => client.send(command))) !== undefined;
    },
  };
}

/** An entry of the index may have moved from one page to the next meanwhile. */
async function allAliases(table: Table): Promise<string[]> {
  const aliases = new Set<string>();
  let after: DueCursor | undefined;
  do {
    const page = await table.due(Number.MAX_SAFE_INTEGER, keysPerPage, after);
    for (const item of page.items) if (item.kind === "managed-key") aliases.add(item.alias);
    after = page.next;
  } while (after !== undefined);
  return [...aliases];
}

function merged(archived: JournalEntry[], outbox: JournalEntry[]): JournalEntry[] {
  const known = new Set(archived.map(({ revision }) => revision));
  const all = [...archived, ...outbox.filter(({ revision }) => !known.has(revision))];
  return all.sort((a, b) => a.revision - b.revision);
}

async function journalOf(db: TableClient, alias: string): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  const { pk } = keys.journal(alias, 0);
  let after: Item | undefined;
  do {
    const command = new QueryCommand({
      TableName: db.tableName,
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :journal)",
      ExpressionAttributeValues: toItem({ ":pk": pk, ":journal": "journal#" }),
      ConsistentRead: true,
      ...(after === undefined ? {} : { ExclusiveStartKey: after }),
    });
    const page = await db.attempt((client) => client.send(command));
    for (const item of page?.Items ?? []) {
      const { pk: _pk, sk: _sk, ...entry } = unmarshall(item);
      entries.push(entry as JournalEntry);
    }
    after = page?.LastEvaluatedKey;
  } while (after !== undefined);
  return entries;
}
