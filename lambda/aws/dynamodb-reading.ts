/** How operators read the state and write requests; the function itself uses neither. */
import { PutItemCommand, QueryCommand, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { migrateRotation } from "../record/migrate.ts";
import { presentFinding, type FindingOfSchema2 } from "../record/schema-2.ts";
import type {
  AppliedConfiguration,
  Chore,
  DueCursor,
  JournalEntry,
  Stored,
  Table,
} from "../ports.ts";
import type { Finding } from "../workflow/model/findings.ts";
import type { ManagedKey, Rotation } from "../workflow/model/types.ts";
import { createTable } from "./dynamodb.ts";
import { createTableClient, type TableClient } from "./dynamodb-client.ts";
import { dueQueue, keys, toItem, type Item } from "./dynamodb-items.ts";
import { createTableReads, type TableReads } from "./dynamodb-reads.ts";
import { configurationIn, waitingIn, type Waiting } from "./dynamodb-waiting.ts";

/** All items of a managed key; `rotations` are those that ended and left the record. */
export type KeyHistory = {
  record: ManagedKey;
  journalHead: string;
  journal: JournalEntry[];
  rotations: Rotation[];
};

export interface StateReader extends TableReads {
  /** The names of all managed keys, including those that newer code wrote, in no order. */
  aliases(): Promise<string[]>;
  /** `pick` of every managed key, in no order; does not hold ten thousand records at once. */
  managedKeys<T>(
    pick: (record: ManagedKey) => T,
    /** Called for each record that newer code wrote. */
    unread?: (alias: string, schema: number) => void,
  ): Promise<T[]>;
  read(alias: string): Promise<Stored | undefined>;
  /** The whole journal, first line first, including lines that are still in the record. */
  journal(alias: string): Promise<JournalEntry[]>;
  /** Undefined without a record that this code can read. */
  history(alias: string): Promise<KeyHistory | undefined>;
  /** Its next due time and its last findings; undefined before the first run. */
  chore(chore: Chore): Promise<{ dueAtMs: number; findings: Finding[] } | undefined>;
  /** What awaits the next run besides records. */
  waiting(): Promise<Waiting>;
  /** Undefined before the first run, and if an older version wrote it. */
  configuration(): Promise<AppliedConfiguration | undefined>;
  /** When the last received canary was sent. */
  heardAtMs(): Promise<number | undefined>;
  /** False if an item with this id already exists. */
  ask(alias: string, id: string, request: Record<string, unknown>): Promise<boolean>;
}

const keysPerPage = 1000;
/** The most that one BatchGetItem takes; `readers` batches are read at a time. */
const keysPerBatch = 100;
const readers = 2;

export function createState(tableName: string, config: DynamoDBClientConfig): StateReader {
  const db = createTableClient(tableName, config);
  const table = createTable(tableName, config);
  const reads = createTableReads(db, table);
  return {
    aliases: () => allAliases(table),
    managedKeys: async (pick, unread) => {
      const aliases = await allAliases(table);
      const batches = Math.ceil(aliases.length / keysPerBatch);
      const picked: ReturnType<typeof pick>[] = [];
      let next = 0;
      const reader = async (): Promise<void> => {
        while (next < batches) {
          const from = keysPerBatch * next++;
          const asked = aliases.slice(from, from + keysPerBatch);
          const records = await table.readMany(asked);
          picked.push(...records.map(pick));
          const read = new Set(records.map(({ alias }) => alias));
          for (const alias of asked.filter((one) => !read.has(one))) {
            const schema = await reads.newerSchema(alias);
            if (schema !== undefined) unread?.(alias, schema);
          }
        }
      };
      await Promise.all(Array.from({ length: readers }, reader));
      return picked;
    },
    read: (alias) => table.read(alias),
    journal: async (alias) => {
      // The record first: a line that leaves it in the meantime then has its own item.
      const stored = await table.read(alias);
      return merged(await journalOf(db, alias), stored?.outbox ?? []);
    },
    history: (alias) => historyOf(db, table, alias),
    chore: async (chore) => {
      const item = await db.get(keys.chore(chore));
      if (item === undefined) return undefined;
      const { dueAtMs, findings = [] } = unmarshall(item) as {
        dueAtMs: number;
        findings?: (Finding | FindingOfSchema2)[];
      };
      return { dueAtMs, findings: findings.map(presentFinding) };
    },
    ...reads,
    waiting: () => waitingIn(db, table),
    configuration: () => configurationIn(db, table),
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

async function historyOf(
  db: TableClient,
  table: Table,
  alias: string,
): Promise<KeyHistory | undefined> {
  const stored = await table.read(alias);
  if (stored === undefined) return undefined;
  const { record, journalHead, outbox } = stored;
  const items = await itemsOf(db, keys.record(alias).pk);
  const journal = merged(items.filter(isOf("journal#")).map(entryIn), outbox);
  // Leaves out lines written since the read: the record and its journal must agree.
  const upToHead = journal.findIndex(({ hash }) => hash === journalHead);
  return {
    record,
    journalHead,
    journal: upToHead < 0 ? journal : journal.slice(0, upToHead + 1),
    rotations: items.filter(isOf("rotation#")).map(rotationIn),
  };
}

/** An entry of the index may move to a later page between two queries. */
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
  return (await itemsOf(db, keys.journal(alias, 0).pk, "journal#")).map(entryIn);
}

/** The items of a partition, optionally only those whose sort key has the prefix. */
async function itemsOf(db: TableClient, pk: string, prefix?: string): Promise<Item[]> {
  const items: Item[] = [];
  const begins = prefix === undefined ? "" : " AND begins_with(sk, :prefix)";
  let after: Item | undefined;
  do {
    const command = new QueryCommand({
      TableName: db.tableName,
      KeyConditionExpression: `pk = :pk${begins}`,
      ExpressionAttributeValues: toItem({ ":pk": pk, ":prefix": prefix }),
      ConsistentRead: true,
      ...(after === undefined ? {} : { ExclusiveStartKey: after }),
    });
    const page = await db.attempt((client) => client.send(command));
    items.push(...(page?.Items ?? []));
    after = page?.LastEvaluatedKey;
  } while (after !== undefined);
  return items;
}

function isOf(prefix: string): (item: Item) => boolean {
  return ({ sk }) => sk?.S?.startsWith(prefix) === true;
}

function entryIn(item: Item): JournalEntry {
  const { pk: _pk, sk: _sk, ...entry } = unmarshall(item);
  return entry as JournalEntry;
}

function rotationIn(item: Item): Rotation {
  const { pk: _pk, sk: _sk, ...rotation } = unmarshall(item);
  return migrateRotation(rotation);
}
