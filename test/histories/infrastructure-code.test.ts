import { expect, test } from "vitest";
import type { Finding } from "../../lambda/workflow/model/findings.ts";
import { requiredApproval } from "../../lambda/workflow/requests/required-approval.ts";
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

test("and again before it is scheduled for deletion, also in the approval", async () => {
  const world = await aWorld({ policy: { retire: "delete" }, approves: false });
  const keyId = await world.targetOf(orders);
  world.kms.world.keys.get(keyId)?.tags.set("aws:cloudformation:stack-name", "payments");
  const reported = new Map<string, Finding>();
  world.afterRun = async () => {
    for (const finding of (await world.record()).findings) {
      reported.set(`${await state(world)}: ${finding.code}`, finding);
    }
  };
  await world.passDays(drained + 20);
  expect([...reported.keys()]).toEqual([
    "draining: KEY_IN_STACK",
    "disabled: KEY_IN_STACK",
    "disabled: APPROVAL_REQUIRED",
  ]);
  expect(reported.get("disabled: KEY_IN_STACK")?.observed).toContain("keyturn will delete it");
  const required = reported.get("disabled: APPROVAL_REQUIRED") as Finding;
  expect(required.observed).toContain("; updates of its stack payments then fail;");
  await world.asks("approve", { version: 1, ...requiredApproval(required) });
  await world.pass(hourMs);
  expect(await world.stateOf(keyId)).toBe("PendingDeletion");
  expect(world.history().filter((event) => event === "stack-reported")).toHaveLength(2);
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
