import { describe, expect, test } from "vitest";
import { RotationError } from "../../lambda/errors.ts";
import type { FindingCode } from "../../lambda/workflow/model/findings.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, keyturnArn, type World } from "../world.ts";

const orders = "alias/orders";
const good = "alias/good";
const root = "arn:aws:iam::000000000000:root";

type Made = { KeyMetadata: { KeyId: string } };

/** Two managed keys, of which `wrong` changes the first before the first run. */
async function withWrong(
  wrong: (world: World, keyId: string) => Promise<unknown>,
  spec: object = {},
): Promise<World> {
  const world = await aWorld({ keys: { [orders]: spec, [good]: {} } });
  await wrong(world, await world.targetOf(orders));
  return world;
}

async function expectOnlyReported(world: World, code: FindingCode): Promise<void> {
  const keysBefore = world.kms.snapshot().keys.filter(({ tags }) => "keyturn:owner" in tags).length;
  await world.passDays(2);
  const [reported] = (await world.record(orders)).findings;
  expect(reported).toMatchObject({ code });
  expect(reported?.observed).not.toBe("");
  expect(reported?.next).not.toBe("");
  expect((await world.record(orders)).enrolledAtMs).toBeUndefined();
  expect((await world.record(good)).enrolledAtMs).toBeDefined();
  await world.passDays(90);
  expect(world.history(orders).filter((event) => event === "opened")).toEqual([]);
  expect(await world.record(good)).toMatchObject({ findings: [] });
  expect(world.history(good)).toContain("activated");
  expect(keysBefore).toBeLessThanOrEqual(1);
}

describe("keyturn reports and never changes what it cannot manage, and other keys continue", () => {
  test("an alias that does not exist", async () => {
    const world = await withWrong((w) => w.ask("DeleteAlias", { AliasName: orders }));
    await expectOnlyReported(world, "ALIAS_NOT_FOUND");
  });

  test("a disabled key", async () => {
    const world = await withWrong((w, KeyId) => w.ask("DisableKey", { KeyId }));
    await expectOnlyReported(world, "KEY_NOT_ENABLED");
  });

  test("a key pending deletion", async () => {
    const wrong = (w: World, KeyId: string) =>
      w.ask("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 30 });
    await expectOnlyReported(await withWrong(wrong), "KEY_NOT_ENABLED");
  });

  test("a key of another owner", async () => {
    const Tags = [{ TagKey: "keyturn:owner", TagValue: "another" }];
    const world = await withWrong(() => Promise.resolve(), { Tags });
    await expectOnlyReported(world, "OTHER_OWNER");
  });

  test("a key that is a later version by its tags, without a record", async () => {
    const Tags = Object.entries({
      "keyturn:owner": "acme",
      "keyturn:alias": orders,
      "keyturn:version": "3",
    }).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
    const world = await withWrong(() => Promise.resolve(), { Tags });
    await expectOnlyReported(world, "STATE_BEHIND_KMS");
  });

  test.each([
    ["imported material", { Origin: "EXTERNAL" }],
    ["a multi-Region key", { MultiRegion: true }],
  ])("%s", async (_, spec) => {
    const world = await withWrong(() => Promise.resolve(), spec);
    await expectOnlyReported(world, "KEY_KIND_UNSUPPORTED");
  });

  test("a policy that names the key's own ARN", async () => {
    const world = await withWrong(async (w, KeyId) => {
      const Resource = `arn:aws:kms:us-east-1:000000000000:key/${KeyId}`;
      const Statement = [{ Effect: "Allow", Principal: { AWS: root }, Action: "kms:*", Resource }];
      await w.ask("PutKeyPolicy", {
        KeyId,
        PolicyName: "default",
        Policy: JSON.stringify({ Version: "2012-10-17", Statement }),
      });
    });
    await expectOnlyReported(world, "POLICY_NOT_CARRIED");
  });

  test("a policy that names a principal which was deleted", async () => {
    const world = await withWrong((w, KeyId) => {
      // KMS accepts no such policy: it returns one after a principal of the policy was deleted.
      const key = w.kms.world.keys.get(KeyId);
      if (key !== undefined)
        key.policy.text = key.policy.text.replace(root, "AROAEXAMPLEEXAMPLE123");
      return Promise.resolve();
    });
    await expectOnlyReported(world, "POLICY_NOT_CARRIED");
  });

  test("a key with too many tags for keyturn's", async () => {
    const Tags = Array.from({ length: 44 }, (_, index) => ({ TagKey: `t${index}`, TagValue: "" }));
    const world = await withWrong(() => Promise.resolve(), { Tags });
    await expectOnlyReported(world, "TOO_MANY_TAGS");
  });

  test("aliases of one managed key on different keys", async () => {
    const world = await aWorld({
      keys: { [orders]: {}, [good]: {} },
      aliases: { [orders]: ["alias/b"] },
    });
    const { KeyMetadata } = await world.ask<Made>("CreateKey", {});
    await world.ask("UpdateAlias", { AliasName: "alias/b", TargetKeyId: KeyMetadata.KeyId });
    await world.passDays(2);
    expect(await world.findings(orders)).toEqual(["ALIAS_SET_SPLIT"]);
  });

  test("one KMS key under two managed keys: the first enrols it, the second reports it", async () => {
    const world = await aWorld({ keys: { [orders]: {}, [good]: {} } });
    const TargetKeyId = await world.targetOf(orders);
    await world.ask("UpdateAlias", { AliasName: good, TargetKeyId });
    await world.passDays(2);
    const findings = [await world.findings(orders), await world.findings(good)].flat();
    expect(findings).toContain("KEY_ALREADY_MANAGED");
    const enrolled = [await world.record(orders), await world.record(good)].filter(
      ({ enrolledAtMs }) => enrolledAtMs !== undefined,
    );
    expect(enrolled).toHaveLength(1);
  });
});

test("a key with the owner tag from its stack is enrolled, and rotates", async () => {
  const Tags = [{ TagKey: "keyturn:owner", TagValue: "acme" }];
  const world = await aWorld({ keys: { [orders]: { Tags } } });
  await world.passDays(90);
  expect(await world.findings(orders)).toEqual([]);
  expect(world.table.choreFindings("audit")).toEqual([]);
  expect(world.history()).toContain("activated");
});

describe("a key policy that locks keyturn out", () => {
  const others = "arn:aws:iam::000000000000:user/person";
  const locked = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS: others }, Action: "kms:*", Resource: "*" }],
  });

  test("is a finding once authorization cannot lag any longer", async () => {
    const world = await withWrong(() => Promise.resolve(), { Policy: locked });
    await world.pass(9 * minuteMs);
    expect(await world.findings(orders)).toEqual([]);
    await world.pass(hourMs);
    expect(await world.findings(orders)).toEqual(["ACCESS_DENIED"]);
    await world.passDays(1);
    expect((await world.record(good)).enrolledAtMs).toBeDefined();
  });

  test("is no finding any longer once it admits keyturn", async () => {
    const world = await withWrong(() => Promise.resolve(), { Policy: locked });
    await world.passDays(1);
    const Statement = [
      { Effect: "Allow", Principal: { AWS: [others, keyturnArn] }, Action: "kms:*", Resource: "*" },
    ];
    await world.ask("PutKeyPolicy", {
      KeyId: await world.targetOf(orders),
      PolicyName: "default",
      Policy: JSON.stringify({ Version: "2012-10-17", Statement }),
    });
    await world.pass(2 * hourMs);
    expect(await world.findings(orders)).toEqual([]);
    expect((await world.record(orders)).enrolledAtMs).toBeDefined();
  });
});

describe("a limit or a fault of the account or the table", () => {
  test("the key quota: keyturn reports it, and continues the rotation when a key is free", async () => {
    const world = await aWorld({ keyQuota: 2 });
    await world.ask("CreateKey", {});
    await world.passDays(84);
    expect(await world.findings(orders)).toEqual(["KEY_QUOTA_REACHED"]);
    const before = await world.targetOf(orders);
    const spare = [...world.kms.world.keys.keys()].find((keyId) => keyId !== before) ?? "";
    world.kms.world.keys.delete(spare);
    await world.passDays(1);
    expect(await world.findings(orders)).toEqual([]);
    expect(await world.targetOf(orders)).not.toBe(before);
  });

  test("an item of a newer schema: keyturn reports it, and leaves it as it is; other keys continue", async () => {
    const world = await aWorld({ keys: { [orders]: {}, [good]: {} } });
    await world.passDays(1);
    const stored = await world.table.read(orders);
    if (stored === undefined) throw new Error("a record was expected");
    const newer = { ...stored.record, schema: 4, dueAtMs: world.clock.nowMs() };
    world.table.put({ ...stored, record: newer });
    await world.passDays(90);
    expect(world.reported).toContainEqual(
      expect.objectContaining({
        alias: orders,
        finding: expect.objectContaining({ code: "SCHEMA_NEWER" }) as unknown,
      }),
    );
    expect(world.table.stored(orders)).toMatchObject({ record: newer });
    expect(world.history(good)).toContain("activated");
  });

  test("a day of KMS throttling delays the rotation by a day", async () => {
    const world = await aWorld();
    await world.passDays(82);
    const untilMs = world.clock.nowMs() + 2 * dayMs;
    let refused = 0;
    world.intercept = (_port, method, _input, proceed) => {
      if (method !== "change" || world.clock.nowMs() > untilMs) return proceed();
      refused += 1;
      return Promise.resolve({ kind: "refused", refusal: "Throttled", message: "Rate exceeded" });
    };
    await world.passDays(2);
    expect(await world.findings(orders)).toEqual(["STUCK"]);
    expect(refused).toBeGreaterThan(5);
    expect(refused).toBeLessThan(60);
    await world.passDays(1);
    expect(await world.findings(orders)).toEqual([]);
    expect(world.history()).toContain("activated");
    expect(world.kms.world.keys.size).toBe(2);
  });

  test("a failing table: the runs report errors, and lose nothing", async () => {
    const world = await aWorld();
    await world.passDays(82);
    let calls = 0;
    world.intercept = (port, method, _input, proceed) => {
      calls += 1;
      if (port !== "table" || calls > 400 || calls % 5 !== 0) return proceed();
      return Promise.reject(new RotationError("TABLE_FAILED", method, undefined));
    };
    await world.passDays(3);
    world.intercept = undefined;
    await world.passDays(1);
    expect(world.errors.length).toBeGreaterThan(0);
    expect(world.history()).toContain("activated");
    expect(world.kms.world.keys.size).toBe(2);
  });
});
