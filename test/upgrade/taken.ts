/** A world that continues from a recorded moment of an earlier version. */
import { dayMs, tagList } from "../fixtures.ts";
import { World, type WorldOptions } from "../world.ts";
import type { Recorded, StoredOfEarlier } from "./recorded.ts";

export const alias = "alias/orders";
export const aliases = [alias, "alias/orders-eu"];

/** The account and the table of that moment of an earlier version, with new key ids. */
export async function taken(
  { nowMs, stored, kms, bindings }: Recorded,
  options: WorldOptions = {},
): Promise<World> {
  const world = new World({
    policy: { cryptoperiodMs: 200 * dayMs, retire: "delete" },
    aliases: { [alias]: aliases.slice(1) },
    ...options,
  });
  let text = JSON.stringify({ stored, bindings });
  const made: { KeyId: string; key: Recorded["kms"][number] }[] = [];
  for (const key of kms) {
    world.clock.moveTo(Math.max(key.createdAtMs, world.clock.nowMs()));
    const { KeyMetadata } = await world.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", {
      Description: key.description,
      Tags: tagList(key.tags),
    });
    for (const AliasName of key.aliases) {
      await world.ask("CreateAlias", { AliasName, TargetKeyId: KeyMetadata.KeyId });
    }
    made.push({ KeyId: KeyMetadata.KeyId, key });
    text = text.replaceAll(key.keyId, KeyMetadata.KeyId);
  }
  for (const { KeyId, key } of made) await bringInto(world, KeyId, key);
  world.clock.moveTo(nowMs);
  const before = JSON.parse(text) as {
    stored: StoredOfEarlier;
    bindings: Record<string, string>;
  };
  world.table.put(before.stored);
  for (const [keyId, of] of Object.entries(before.bindings)) {
    await world.table.bind(keyId, of, nowMs);
  }
  return world;
}

async function bringInto(world: World, KeyId: string, key: Recorded["kms"][number]): Promise<void> {
  if (key.state === "Disabled") await world.ask("DisableKey", { KeyId });
  if (key.state !== "PendingDeletion") return;
  world.clock.moveTo((key.deletionAtMs ?? 0) - 30 * dayMs);
  await world.ask("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 30 });
}
