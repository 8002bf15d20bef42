/** Further reads of operator commands: unreadable records, requests, the time. */
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import type { RefusedUses, RequestItem, Table } from "../ports.ts";
import type { TableClient } from "./dynamodb-client.ts";
import { keys, toItem } from "./dynamodb-items.ts";
import { dueBy } from "./dynamodb-waiting.ts";
import { readHeld } from "./dynamodb-records.ts";

export type Reached = { dateMs: number | undefined; runUntilMs: number | undefined };

export interface TableReads extends Pick<RefusedUses, "refusals" | "refusalsWatch"> {
  /** The schema of a record that newer code wrote; undefined if absent or readable. */
  newerSchema(alias: string): Promise<number | undefined>;
  /** The requests for a managed key that no run has processed yet. */
  requests(alias: string): Promise<RequestItem[]>;
  /** The managed keys with refused uses that no run has read, and since when each waits. */
  refusalsDue(byMs: number): Promise<{ alias: string; dueAtMs: number }[]>;
  /**
   * One read of the table: its time of day, if the response has one, and the latest end of the
   * current run.
   */
  reach(): Promise<Reached>;
}

export function createTableReads(db: TableClient, table: Table): TableReads {
  return {
    newerSchema: async (alias) => {
      const held = await readHeld(db, alias);
      return held?.kind === "newer-schema" ? held.schema : undefined;
    },
    requests: (alias) => table.requests(alias),
    refusals: (alias) => table.refusals(alias),
    refusalsWatch: () => table.refusalsWatch(),
    refusalsDue: async (byMs) => {
      const due = await dueBy(table, byMs);
      return due.flatMap((item) =>
        item.kind === "refusals" ? [{ alias: item.alias, dueAtMs: item.dueAtMs }] : [],
      );
    },
    reach: () => reach(db),
  };
}

async function reach(db: TableClient): Promise<Reached> {
  const command = new GetItemCommand({ TableName: db.tableName, Key: toItem(keys.runClaim()) });
  let date: string | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      const { headers } = answer.response as { headers?: Record<string, string> };
      date = headers?.["date"];
      return answer;
    },
    { step: "deserialize", name: "readsTheDate" },
  );
  const item = (await db.attempt((client) => client.send(command)))?.Item;
  const until = item?.["untilMs"]?.N;
  const dateMs = Date.parse(date ?? "");
  return {
    dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
    runUntilMs: until === undefined ? undefined : Number(until),
  };
}
