import { expect, test } from "vitest";
import { dayMs, hourMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";

const orders = "alias/orders";
const drained = 83 + 31;

async function state(world: World): Promise<string | undefined> {
  return (await world.record()).versions.find(({ number }) => number === 1)?.state;
}

test("a key of a stack is a finding for a day before it is disabled", async () => {
  const Tags = [{ TagKey: "aws:cloudformation:stack-name", TagValue: "payments" }];
  const world = await aWorld();
  const keyId = await world.targetOf(orders);
  const key = world.kms.world.keys.get(keyId);
  for (const { TagKey, TagValue } of Tags) key?.tags.set(TagKey, TagValue);
  await world.passDays(drained);
  const [reported] = (await world.record()).findings;
  expect(reported).toMatchObject({ code: "KEY_IN_STACK", subject: keyId });
  expect(reported?.observed).toContain("is in the stack payments");
  expect(await state(world)).toBe("draining");
  await world.pass(dayMs + hourMs);
  expect(await state(world)).toBe("disabled");
  expect(await world.findings()).toEqual([]);
});

test("the finding names an apply of infrastructure code that reset the alias", async () => {
  const world = await aWorld();
  const first = await world.targetOf(orders);
  await world.passDays(90);
  expect(await world.targetOf(orders)).not.toBe(first);
  await world.ask("UpdateAlias", { AliasName: orders, TargetKeyId: first });
  await world.passDays(85);
  const reported = (await world.record()).findings.find(({ code }) => code === "ALIAS_MOVED");
  expect(reported?.observed).toContain("(version 1, retired at 2027-03-");
  expect(reported?.observed).toContain("infrastructure code that names the old key may have moved");
});
