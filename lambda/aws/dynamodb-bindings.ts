/** `kms#<key id>` binds a KMS key to one managed key. Also the archive of journal and rotations. */
import { DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { migrateRotation } from "../record/migrate.ts";
import type { Bound, Table } from "../ports.ts";
import { clockSkewMs } from "../workflow/model/limits.ts";
import type { TableClient } from "./dynamodb-client.ts";
import { keys, toItem } from "./dynamodb-items.ts";
import { readHeld } from "./dynamodb-records.ts";

type Bindings = Pick<Table, "bind" | "unbind" | "boundTo" | "archive" | "closedRotation">;

export function createBindings(db: TableClient): Bindings {
  const boundTo = async (keyId: string): Promise<string | undefined> => {
    const item = await db.get(keys.binding(keyId));
    return item === undefined ? undefined : (unmarshall(item) as { alias: string }).alias;
  };
  return {
    boundTo,
    bind: async (keyId, alias, nowMs) => {
      if (await put(db, keyId, alias, undefined)) return { kind: "bound" };
      return takeOver(db, keyId, alias, nowMs, boundTo);
    },
    unbind: async (keyId, alias) => {
      const command = new DeleteItemCommand({
        TableName: db.tableName,
        Key: toItem(keys.binding(keyId)),
        ConditionExpression: "alias = :alias",
        ExpressionAttributeValues: toItem({ ":alias": alias }),
      });
      await db.attempt((client) => client.send(command));
    },
    archive: async (entries, closed) => {
      for (const entry of entries) {
        await putItem(db, { ...keys.journal(entry.alias, entry.revision), ...entry });
      }
      for (const { alias, rotation } of closed) {
        await putItem(db, { ...keys.rotation(alias, rotation.id), ...rotation });
      }
    },
    closedRotation: async (alias, rotationId) => {
      const item = await db.get(keys.rotation(alias, rotationId));
      if (item === undefined) return undefined;
      const { pk: _pk, sk: _sk, ...rotation } = unmarshall(item);
      return migrateRotation(rotation);
    },
  };
}

async function putItem(db: TableClient, item: Record<string, unknown>): Promise<void> {
  const command = new PutItemCommand({ TableName: db.tableName, Item: toItem(item) });
  await db.attempt((client) => client.send(command));
}

/** Binds if the key is unbound, or bound to `alias` or to the managed key `observed`. */
async function put(
  db: TableClient,
  keyId: string,
  alias: string,
  observed: string | undefined,
): Promise<boolean> {
  const condition = "attribute_not_exists(pk) OR alias = :alias";
  const command = new PutItemCommand({
    TableName: db.tableName,
    Item: toItem({ ...keys.binding(keyId), alias }),
    ConditionExpression: observed === undefined ? condition : "alias = :observed",
    ExpressionAttributeValues: toItem(
      observed === undefined ? { ":alias": alias } : { ":observed": observed },
    ),
  });
  return (await db.attempt((client) => client.send(command))) !== undefined;
}

/** A crash left a binding whose managed key neither lists the key nor has a claim. */
async function takeOver(
  db: TableClient,
  keyId: string,
  alias: string,
  nowMs: number,
  boundTo: (keyId: string) => Promise<string | undefined>,
): Promise<Bound> {
  const by = await boundTo(keyId);
  if (by === undefined) return { kind: "taken", by: "another managed key" };
  if (by === alias) return { kind: "bound" };
  const held = await readHeld(db, by);
  // This code cannot read which versions newer code lists.
  if (held?.kind === "newer-schema") return { kind: "taken", by };
  const other = held?.stored.record;
  const listed = other?.versions.some((version) => version.keyId === keyId) ?? false;
  const isClaimed = other?.claim !== undefined && other.claim.untilMs + clockSkewMs >= nowMs;
  if (listed || isClaimed) return { kind: "taken", by };
  if (await put(db, keyId, alias, by)) return { kind: "bound" };
  return (await boundTo(keyId)) === alias ? { kind: "bound" } : { kind: "taken", by };
}
