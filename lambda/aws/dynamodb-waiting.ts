/** What awaits the next run besides records: requests, and the applied configuration. */
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { AppliedConfiguration, DueItem, RequestItem, Table } from "../ports.ts";
import type { TableClient } from "./dynamodb-client.ts";
import { keys } from "./dynamodb-items.ts";

export type Waiting = {
  /** Undefined before the first run. */
  configuration: AppliedConfiguration | undefined;
  /** By alias, in processing order. */
  requests: Map<string, RequestItem[]>;
};

/** The due index lists configurations first, then requests. */
const configurationsMs = 0;
const requestsMs = 1;
const itemsMax = 1000;

export async function waitingIn(db: TableClient, table: Table): Promise<Waiting> {
  const items = await dueBy(table, requestsMs);
  const aliases = items.flatMap((item) => (item.kind === "request" ? [item.alias] : []));
  const requests = new Map<string, RequestItem[]>();
  for (const alias of new Set(aliases)) requests.set(alias, await table.requests(alias));
  return { configuration: await appliedOf(db, items), requests };
}

/** Reads no requests. */
export async function configurationIn(
  db: TableClient,
  table: Table,
): Promise<AppliedConfiguration | undefined> {
  return appliedOf(db, await dueBy(table, configurationsMs));
}

/** The due items of this time, the longest due first. */
export async function dueBy(table: Table, atMs: number): Promise<DueItem[]> {
  let page = await table.due(atMs, itemsMax);
  const items = [...page.items];
  while (page.next !== undefined) {
    page = await table.due(atMs, itemsMax, page.next);
    items.push(...page.items);
  }
  return items;
}

/** Undefined if there are two, during a change, or if an older version wrote it. */
async function appliedOf(
  db: TableClient,
  items: DueItem[],
): Promise<AppliedConfiguration | undefined> {
  const hashes = items.flatMap((item) => (item.kind === "configuration" ? [item.hash] : []));
  const [hash, ...others] = hashes;
  if (hash === undefined || others.length > 0) return undefined;
  const item = await db.get(keys.configuration(hash));
  if (item?.["mode"] === undefined) return undefined;
  const applied = unmarshall(item) as AppliedConfiguration;
  const { owner, mode, policies, taggedAliases, acceptedRefusals, refusalsWatch } = applied;
  return {
    ...{ owner, mode, policies, taggedAliases },
    ...(acceptedRefusals === undefined ? {} : { acceptedRefusals }),
    ...(refusalsWatch === undefined ? {} : { refusalsWatch }),
  };
}
