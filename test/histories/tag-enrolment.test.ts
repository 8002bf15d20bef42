import { describe, expect, test } from "vitest";
import { dayMs, tagList } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";

const payroll = "alias/payroll";

/** A key of an external actor, with an alias and the tag. */
async function tagged(
  world: World,
  tags: Record<string, string>,
  aliases = [payroll],
): Promise<string> {
  const made = await world.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", {
    Tags: tagList(tags),
  });
  const TargetKeyId = made.KeyMetadata.KeyId;
  for (const AliasName of aliases) await world.ask("CreateAlias", { AliasName, TargetKeyId });
  return TargetKeyId;
}

const quarterly = { "keyturn:policy": "quarterly" };

function reported(world: World): string[] {
  return world.table.choreFindings("tag-search").map(({ code }) => code);
}

describe("a key with the tag keyturn:policy", () => {
  test("is enrolled within a day and rotated, but never further than disabled", async () => {
    const world = await aWorld({
      searchesDaily: true,
      policy: { retire: "delete", cryptoperiodMs: 60 * dayMs },
    });
    await world.passDays(1);
    const first = await tagged(world, quarterly);
    await world.passDays(2);
    expect(world.history(payroll)).toContain("enrolled");
    await world.passDays(300);
    expect(await world.stateOf(first)).toBe("Disabled");
    expect(await world.targetOf(payroll)).not.toBe(first);
    const states = await Promise.all(
      (await world.record(payroll)).versions.map(({ keyId }) => world.stateOf(keyId)),
    );
    expect(states).not.toContain("PendingDeletion");
    expect(world.errors).toEqual([]);
  });

  test("has its aliases read once a day", async () => {
    const world = await aWorld({ searchesDaily: true });
    await tagged(world, quarterly);
    await world.passDays(10);
    const made = await world.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", {});
    await world.ask("UpdateAlias", { AliasName: payroll, TargetKeyId: made.KeyMetadata.KeyId });
    await world.passDays(1);
    expect(await world.findings(payroll)).toEqual(["ALIAS_MOVED"]);
  });

  test("of another owner, or named in the configuration, is not enrolled by the tag", async () => {
    const world = await aWorld({ searchesDaily: true });
    await tagged(world, { ...quarterly, "keyturn:owner": "another" });
    const orders = await world.targetOf("alias/orders");
    await world.ask("TagResource", { KeyId: orders, Tags: tagList(quarterly) });
    await world.passDays(10);
    await expect(world.record(payroll)).rejects.toThrow(/no record/);
    expect(await world.findings("alias/orders")).toEqual([]);
    expect(reported(world)).toEqual([]);
  });

  test.each([
    ["without an alias", quarterly, []],
    ["with several aliases", quarterly, [payroll, "alias/payroll-eu"]],
    ["with a policy that is not defined", { "keyturn:policy": "weekly" }, [payroll]],
  ])("%s is a finding, and not enrolled", async (_, tags, aliases) => {
    const world = await aWorld({ searchesDaily: true });
    await tagged(world, tags, aliases);
    await world.passDays(2);
    await expect(world.record(payroll)).rejects.toThrow(/no record/);
    expect(reported(world)).toEqual(["NOT_ENROLLED_BY_TAG"]);
  });

  test("that is un-enrolled stays so, its successors too", async () => {
    const world = await aWorld({ searchesDaily: true, policy: { cryptoperiodMs: 60 * dayMs } });
    await tagged(world, quarterly);
    await world.passDays(70);
    world.request("un-enrol", { confirm: payroll }, payroll);
    await world.passDays(200);
    const active = await world.targetOf(payroll);
    const { Tags } = await world.ask<{ Tags: unknown[] }>("ListResourceTags", { KeyId: active });
    expect(Tags).toEqual([{ TagKey: "keyturn:alias", TagValue: payroll }]);
    expect((await world.record(payroll)).versions).toEqual([]);
  });
});
