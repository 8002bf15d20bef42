/** The claim of a managed key: its epoch only grows, and every later write is conditional on it. */
import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { claimDelayMs } from "../pass/backoff.ts";
import { claimBy } from "../pass/claim.ts";
import type { Claimed, ClaimRequest, Stored } from "../ports.ts";
import type { ManagedKey } from "../workflow/model/types.ts";
import type { TableClient } from "./dynamodb-client.ts";
import { heldIn, keys, toItem } from "./dynamodb-items.ts";
import { clauses, readHeld } from "./dynamodb-records.ts";

/**
 * The conditions of every claim; the epoch lets only one of two claims on the same read succeed.
 */
const always = [clauses.exists, "#schema = :readSchema", clauses.ofTheEpochRead];
const due = "#dueAtMs <= :now";

/** All conditions by kind: a forced claim takes the key from any holder at any time. */
const conditions: Record<ClaimRequest["taking"], string[]> = {
  due: [...always, due, clauses.unclaimed],
  asked: [...always, clauses.unclaimed],
  force: always,
};

/** Changes the claim alone: an older schema stays until the next write. */
export function claim(db: TableClient, alias: string, request: ClaimRequest): Promise<Claimed> {
  const steps = {
    read: () => readHeld(db, alias),
    set: async ({ stored, storedSchema }: { stored: Stored; storedSchema: number }) => {
      const command = claimCommand(db.tableName, stored.record, storedSchema, request);
      const answer = await db.attempt((client) => client.send(command));
      return answer?.Attributes === undefined ? undefined : heldIn(answer.Attributes);
    },
  };
  return claimBy(steps, request);
}

function claimCommand(
  tableName: string,
  record: ManagedKey,
  storedSchema: number,
  { runId, passId, nowMs, untilMs, dueAgainAtMs, taking }: ClaimRequest,
): UpdateItemCommand {
  const epoch = record.epoch + 1;
  // DynamoDB rejects unused names and values, and a forced claim has no time condition.
  const timed = taking !== "force";
  return new UpdateItemCommand({
    TableName: tableName,
    Key: toItem(keys.record(record.alias)),
    UpdateExpression:
      "SET #claim = :claim, #epoch = :epoch, #dueAtMs = :again, #backoff.#tries = :tries ADD #writes :one",
    ConditionExpression: conditions[taking].join(" AND "),
    ExpressionAttributeNames: {
      "#claim": "claim",
      "#epoch": "epoch",
      "#dueAtMs": "dueAtMs",
      "#backoff": "backoff",
      "#tries": "tries",
      "#schema": "schema",
      "#writes": "writes",
      ...(timed ? { "#untilMs": "untilMs" } : {}),
    },
    ExpressionAttributeValues: toItem({
      ":claim": { runId, passId, epoch, untilMs },
      ":epoch": epoch,
      ":readEpoch": record.epoch,
      ":again": dueAgainAtMs + claimDelayMs(record.backoff.tries),
      ":tries": record.backoff.tries + 1,
      ":readSchema": storedSchema,
      ":one": 1,
      ...(timed ? { ":now": nowMs } : {}),
    }),
    ReturnValues: "ALL_NEW",
  });
}
