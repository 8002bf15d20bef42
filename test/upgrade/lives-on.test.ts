import { describe, expect, test } from "vitest";
import type { RecordOfSchema1 } from "../../lambda/record/migrate.ts";
import { dayMs, minuteMs, tagList } from "../fixtures.ts";
import { World } from "../world.ts";
import { moments, type Moment } from "./schema-1.ts";

const alias = "alias/orders";
const aliases = [alias, "alias/orders-eu"];

/** The account and the table as the release before left them at that moment, under new key ids. */
async function taken({ nowMs, stored, kms, bindings }: Moment): Promise<World> {
  const world = new World({
    policy: { cryptoperiodMs: 200 * dayMs, retire: "delete" },
    aliases: { [alias]: aliases.slice(1) },
  });
  let text = JSON.stringify({ stored, bindings });
  const made: { KeyId: string; key: Moment["kms"][number] }[] = [];
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
    stored: { record: RecordOfSchema1 };
    bindings: Record<string, string>;
  };
  world.table.put(before.stored);
  for (const [keyId, of] of Object.entries(before.bindings)) {
    await world.table.bind(keyId, of, nowMs);
  }
  return world;
}

async function bringInto(world: World, KeyId: string, key: Moment["kms"][number]): Promise<void> {
  if (key.state === "Disabled") await world.ask("DisableKey", { KeyId });
  if (key.state !== "PendingDeletion") return;
  world.clock.moveTo((key.deletionAtMs ?? 0) - 30 * dayMs);
  await world.ask("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 30 });
}

describe.each(moments.map((moment) => [moment.moment, moment] as const))(
  "a managed key that the release before left %s",
  (_, moment) => {
    test("goes on to the end of its rotation, and to the next, without a finding", async () => {
      const world = await taken(moment);
      const { versions } = moment.stored.record;
      world.afterRun = async () => {
        for (const name of aliases) {
          expect(await world.stateOf(await world.targetOf(name))).toBe("Enabled");
        }
      };
      await world.passDays(420);
      const record = await world.record();
      expect(record.schema).toBe(2);
      expect(record.findings).toEqual([]);
      expect(record.lastNumber).toBeGreaterThan(Math.max(1, ...versions.map((one) => one.number)));
      const targets = await Promise.all(aliases.map((name) => world.targetOf(name)));
      expect(new Set(targets).size).toBe(1);
      expect(world.history()).toContain("completed");
      expect(world.errors).toEqual([]);
    });

    test("can be rolled back, where there is something to go back to", async () => {
      const world = await taken(moment);
      await world.pass(30 * minuteMs);
      const serving = (await world.record()).versions.find(
        ({ standing }) => standing === "serving",
      );
      const earlier = (await world.record()).versions.find(
        ({ number }) => number < (serving?.number ?? 0),
      );
      await world.asks("rollback", { version: serving?.number ?? 1 });
      await world.passDays(1);
      const expected = earlier ?? serving;
      expect(await world.targetOf(alias)).toBe(expected?.keyId);
      expect(await world.stateOf(expected?.keyId ?? "")).toBe("Enabled");
      expect(world.errors).toEqual([]);
    });
  },
);
