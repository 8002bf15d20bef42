import { describe, expect, test } from "vitest";
import { dayMs, minuteMs, tagList } from "../fixtures.ts";
import { World } from "../world.ts";
import { recorded, type Recorded, type StoredOfEarlier } from "./recorded.ts";

const alias = "alias/orders";
const aliases = [alias, "alias/orders-eu"];

/** The account and the table of that moment of an earlier version, with new key ids. */
async function taken({ nowMs, stored, kms, bindings }: Recorded): Promise<World> {
  const world = new World({
    policy: { cryptoperiodMs: 200 * dayMs, retire: "delete" },
    aliases: { [alias]: aliases.slice(1) },
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

/** An operator only resumes and approves evidence. */
async function passWithOperator(world: World, days: number): Promise<void> {
  for (let day = 0; day < days; day += 20) {
    if ((await world.record()).holds.length > 0) await world.asks("resume");
    const { findings } = await world.record();
    const required = findings.find(({ code }) => code === "APPROVAL_REQUIRED");
    const [evidence] = /\b[0-9a-f]{64}\b/.exec(required?.observed ?? "") ?? [];
    if (evidence !== undefined) await world.asks("approve", { version: 1, evidence });
    await world.passDays(20);
  }
}

describe.each(recorded)("a managed key that an earlier version left in %s", (_, moment) => {
  test("completes its rotation and the next one, without a finding", async () => {
    const world = await taken(moment);
    const { versions } = moment.stored.record;
    world.afterRun = async () => {
      for (const name of aliases) {
        expect(await world.stateOf(await world.targetOf(name))).toBe("Enabled");
      }
    };
    await world.passDays(1);
    await passWithOperator(world, 420);
    const record = await world.record();
    expect(record.schema).toBe(3);
    expect(record.findings).toEqual([]);
    expect(record.lastNumber).toBeGreaterThan(Math.max(1, ...versions.map((one) => one.number)));
    const targets = await Promise.all(aliases.map((name) => world.targetOf(name)));
    expect(new Set(targets).size).toBe(1);
    expect(world.history()).toContain("completed");
    expect(world.errors).toEqual([]);
  });

  test("can be rolled back, if it has a version to roll back to", async () => {
    const world = await taken(moment);
    await world.pass(30 * minuteMs);
    if ((await world.record()).holds.some(({ kind }) => kind === "pause")) {
      await world.asks("resume");
    }
    const { versions, rotations } = await world.record();
    const active = versions.find(({ state }) => state === "active");
    const under = rotations.find(({ direction, step }) => direction === "back" && step !== "drain");
    const fresh = versions.find(({ state }) => state === "pending-activation");
    const earlier = versions.find(({ number }) => number < (active?.number ?? 0));
    await world.asks("rollback", { version: (fresh ?? active)?.number ?? 1 });
    await world.passDays(1);
    const goal =
      versions.find(({ number }) => number === under?.to) ??
      (fresh === undefined ? (earlier ?? active) : active);
    expect(await world.targetOf(alias)).toBe(goal?.keyId);
    expect(await world.stateOf(goal?.keyId ?? "")).toBe("Enabled");
    expect(world.errors).toEqual([]);
  });
});
