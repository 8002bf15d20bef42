/** Histories of keys whose key policy leaves keyturn's role out, from the beginning or from a later change. */
import { describe, expect, test } from "vitest";
import { onCall } from "../faults.ts";
import { short } from "./short-policy.ts";
import { aWorld, keyturnArn, type World } from "../world.ts";

const orders = "alias/orders";
const all = { Effect: "Allow", Action: "kms:*", Resource: "*" };
const account = { ...all, Principal: { AWS: "arn:aws:iam::000000000000:root" } };
const person = { ...all, Principal: { AWS: "arn:aws:iam::000000000000:user/person" } };
/** Enough for enrolment, and not for CreateKey. */
const reads = ["kms:Describe*", "kms:Get*", "kms:List*", "kms:TagResource"];
const reading = { ...account, Action: reads };

const documentOf = (...statements: object[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });

function withPolicy(...statements: object[]): Promise<World> {
  const BypassPolicyLockoutSafetyCheck = true;
  const first = { Policy: documentOf(...statements), BypassPolicyLockoutSafetyCheck };
  return aWorld({ policy: short, keys: { [orders]: first } });
}

async function put(world: World, ...statements: object[]): Promise<void> {
  const KeyId = await world.targetOf(orders);
  await world.ask("PutKeyPolicy", {
    KeyId,
    PolicyName: "default",
    Policy: documentOf(...statements),
  });
}

async function rotates(world: World): Promise<void> {
  const first = await world.targetOf(orders);
  await world.passDays(42);
  expect(await world.targetOf(orders)).not.toBe(first);
  expect(await world.stateOf(first)).toBe("deleted");
  expect(await world.findings()).toEqual([]);
}

const denied = { ...all, Effect: "Deny", Principal: "*", Action: "kms:PutKeyPolicy" };

describe("a key policy that certainly leaves keyturn's role out", () => {
  test.each<[how: string, statements: object[]]>([
    ["admits users alone to all", [person, reading]],
    ["admits another account", [{ ...all, Principal: { AWS: "222233334444" } }, person, reading]],
    ["denies PutKeyPolicy to everybody", [account, denied]],
    [
      "denies it to all but a user",
      [account, { ...denied, Principal: undefined, NotPrincipal: person.Principal }],
    ],
  ])("is reported at enrolment, and keyturn creates no key: it %s", async (_, statements) => {
    const world = await withPolicy(...statements);
    await world.passDays(1);
    const { findings, enrolledAtMs } = await world.record();
    expect(findings).toMatchObject([
      {
        code: "POLICY_NOT_CARRIED",
        observed: "the key policy leaves kms:PutKeyPolicy to no role of the account",
      },
    ]);
    expect(enrolledAtMs).toBeUndefined();
    await world.passDays(30);
    expect(await world.findings()).toEqual(["POLICY_NOT_CARRIED"]);
    expect(world.calls).not.toContain("CreateKey");
  });

  test("ends the finding once it admits the account: the key is enrolled, and rotates", async () => {
    const world = await withPolicy(person, reading);
    await world.passDays(1);
    await put(world, person, account);
    await rotates(world);
  });

  test("and comes later halts the next rotation before CreateKey, until it admits the account", async () => {
    const world = await withPolicy(person, account);
    const first = await world.targetOf(orders);
    await world.passDays(20);
    await put(world, person, reading);
    await world.passDays(12);
    expect((await world.findings()).sort()).toEqual([
      ...["KEY_POLICY_CHANGED", "OVERDUE", "POLICY_NOT_CARRIED"],
    ]);
    expect(world.calls).not.toContain("CreateKey");
    await put(world, person, account);
    await world.passDays(14);
    expect(await world.findings()).toEqual([]);
    expect(await world.targetOf(orders)).not.toBe(first);
  });

  test("and comes after the rotation has opened halts it before CreateKey", async () => {
    const world = await withPolicy(person, account);
    onCall(world, "CreateKey", () =>
      Promise.resolve({ kind: "refused", refusal: "Throttled", message: "Rate exceeded" }),
    );
    await world.passDays(28.5);
    world.intercept = undefined;
    expect(world.history()).toContain("opened");
    await put(world, person, reading);
    await world.passDays(1);
    expect(world.history()).toContain("abandoned");
    expect(await world.findings()).toContain("POLICY_NOT_CARRIED");
    expect(world.calls).not.toContain("CreateKey");
  });
});

describe("a key policy that may admit keyturn's role", () => {
  test.each<[how: string, statements: object[]]>([
    ["the role itself", [person, { ...all, Principal: { AWS: keyturnArn } }]],
    [
      "the account, by a list of actions",
      [person, { ...account, Action: [...reads, "kms:*Key*", "kms:*Alias"] }],
    ],
    [
      "everybody of an account",
      [
        {
          ...all,
          Principal: "*",
          Condition: { StringEquals: { "kms:CallerAccount": "000000000000" } },
        },
      ],
    ],
  ])("is copied, and the key rotates: %s", async (_, statements) => {
    await rotates(await withPolicy(...statements));
  });

  test("under a condition that excludes the role is enrolled: KMS refuses CreateKey", async () => {
    const Condition = { ArnNotLike: { "aws:PrincipalArn": keyturnArn } };
    const world = await withPolicy(person, reading, { ...account, Condition });
    await world.passDays(29);
    expect((await world.record()).enrolledAtMs).toBeDefined();
    expect(await world.findings()).toEqual(["KEY_POLICY_REFUSED"]);
    expect(world.kms.world.keys.size).toBe(1);
  });

  test("and forbids DisableKey is copied: only the revocation waits", async () => {
    const world = await withPolicy(account, { ...denied, Action: "kms:DisableKey" });
    const first = await world.targetOf(orders);
    await world.passDays(35);
    expect(await world.targetOf(orders)).not.toBe(first);
    expect(await world.stateOf(first)).toBe("Enabled");
    expect(await world.findings()).toContain("ACCESS_DENIED");
  });
});
