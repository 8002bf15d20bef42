/** The claim of a managed key: an epoch that only grows, and that every later write is bound to. */
import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { claimDelayMs } from "../pass/backoff.ts";
import { claimBy } from "../pass/claim.ts";
import type { Claimed, ClaimRequest, Stored } from "../ports.ts";
import type { ManagedKey } from "../workflow/model/types.ts";
import type { TableClient } from "./dynamodb-client.ts";
import { heldIn, keys, toItem } from "./dynamodb-items.ts";
import { clauses, readHeld } from "./dynamodb-records.ts";

/** What every claim asks; the epoch keeps two that saw the same from both coming through. */
const always = [clauses.exists, "#schema = :readSchema", clauses.ofTheEpochRead];
const due = "#dueAtMs <= :now";

/** What it asks besides: a forced one takes it from whoever holds it, and whenever. */
const asks: Record<ClaimRequest["taking"], string[]> = {
  due: [...always, due, clauses.unclaimed],
  asked: [...always, clauses.unclaimed],
  force: always,
};

/** An older schema stays as it is, but for the claim: the next write puts the present one. */
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
  // A name or a value that no expression uses is refused, and a forced claim asks about no time.
  const timed = taking !== "force";
  return new UpdateItemCommand({
    TableName: tableName,
    Key: toItem(keys.record(record.alias)),
    UpdateExpression:
      "SET #claim = :claim, #epoch = :epoch, #dueAtMs = :again, #backoff.#tries = :tries ADD #writes :one",
    ConditionExpression: asks[taking].join(" AND "),
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
