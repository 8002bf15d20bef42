/** The claim of a managed key: an epoch that only grows, and that every later write is bound to. */
import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { claimDelayMs } from "../backoff.ts";
import type { Claimed, ClaimRequest } from "../ports.ts";
import type { ManagedKey } from "../workflow/types.ts";
import type { TableClient } from "./dynamodb.ts";
import { heldIn, keys, toItem } from "./dynamodb-items.ts";
import { clauses, readHeld } from "./dynamodb-records.ts";

/** What every claim asks; the epoch keeps two that saw the same from both coming through. */
const always = [clauses.exists, "#schema = :seenSchema", clauses.ofTheEpochSeen];
const due = "#dueAtMs <= :now";

/** What it asks besides: a forced one takes it from whoever holds it, and whenever. */
const asks: Record<ClaimRequest["taking"], string[]> = {
  due: [...always, due, clauses.unclaimed],
  asked: [...always, clauses.unclaimed],
  force: always,
};

/** An older schema stays as it is, but for the claim: the next write puts the present one. */
export async function claim(
  db: TableClient,
  alias: string,
  request: ClaimRequest,
): Promise<Claimed> {
  const before = await readHeld(db, alias);
  if (before === undefined) return { kind: "taken" };
  if (before.kind === "newer-schema") return before;
  const { stored, seen } = before;
  const command = claimCommand(db.tableName, stored.record, seen, request);
  const answer = await db.attempt((client) => client.send(command));
  if (answer?.Attributes === undefined) {
    return claimedAfterAll(db, alias, request, stored.record.epoch + 1);
  }
  const after = heldIn(answer.Attributes);
  return after.kind === "held" ? { kind: "claimed", stored: after.stored } : after;
}

function claimCommand(
  tableName: string,
  record: ManagedKey,
  seenSchema: number,
  { runId, nowMs, untilMs, dueAgainAtMs, taking }: ClaimRequest,
): UpdateItemCommand {
  const epoch = record.epoch + 1;
  // A name or a value that no expression uses is refused, and a forced claim asks about no time.
  const timed = taking !== "force";
  return new UpdateItemCommand({
    TableName: tableName,
    Key: toItem(keys.record(record.alias)),
    UpdateExpression:
      "SET #claim = :claim, #epoch = :epoch, #dueAtMs = :again, #backoff.#tries = :tries",
    ConditionExpression: asks[taking].join(" AND "),
    ExpressionAttributeNames: {
      "#claim": "claim",
      "#epoch": "epoch",
      "#dueAtMs": "dueAtMs",
      "#backoff": "backoff",
      "#tries": "tries",
      "#schema": "schema",
      ...(timed ? { "#untilMs": "untilMs" } : {}),
    },
    ExpressionAttributeValues: toItem({
      ":claim": { runId, epoch, untilMs },
      ":epoch": epoch,
      ":seenEpoch": record.epoch,
      ":again": dueAgainAtMs + claimDelayMs(record.backoff.tries),
      ":tries": record.backoff.tries + 1,
      ":seenSchema": seenSchema,
      ...(timed ? { ":now": nowMs } : {}),
    }),
    ReturnValues: "ALL_NEW",
  });
}

/** The condition may have failed on our own claim, whose response was lost and which was retried. */
async function claimedAfterAll(
  db: TableClient,
  alias: string,
  { runId, nowMs }: ClaimRequest,
  epoch: number,
): Promise<Claimed> {
  const held = await readHeld(db, alias);
  if (held === undefined) return { kind: "taken" };
  if (held.kind === "newer-schema") return held;
  const { stored } = held;
  const ours = stored.record.claim?.runId === runId && stored.record.epoch === epoch;
  if (ours) return { kind: "claimed", stored };
  const untilMs = stored.record.claim?.untilMs ?? 0;
  return untilMs < nowMs ? { kind: "taken" } : { kind: "taken", untilMs };
}
