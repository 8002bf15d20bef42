import { describe, expect, test } from "vitest";
import type { Call } from "../../lambda/workflow/model/types.ts";
import { noAnswer, onCall } from "../faults.ts";
import { dayMs, hourMs, minuteMs, tagList } from "../fixtures.ts";
import { aWorld } from "../world.ts";

const orders = "alias/orders";

describe("a key that another deployment took over by its owner tag", () => {
  const Tags = [{ TagKey: "keyturn:owner", TagValue: "another" }];

  test.each([
    ["while it is active", 10],
    ["in drain", 100],
    ["in its soak", 84 + 35],
  ])("%s stays as it is", async (_, days) => {
    const world = await aWorld({ policy: { retire: "delete" } });
    const KeyId = await world.targetOf(orders);
    await world.passDays(days);
    const before = await world.stateOf(KeyId);
    await world.ask("TagResource", { KeyId, Tags });
    await world.passDays(90);
    expect(await world.findings()).toContain("OTHER_OWNER");
    expect(await world.stateOf(KeyId)).toBe(before);
  });

  test("while both enrol it, belongs to the owner in its tag", async () => {
    const world = await aWorld();
    const KeyId = await world.targetOf(orders);
    onCall(world, "TagResource", async (proceed) => {
      const answer = await proceed();
      await world.ask("TagResource", { KeyId, Tags });
      return answer;
    });
    await world.passDays(1);
    expect(await world.findings()).toEqual(["OTHER_OWNER"]);
    expect((await world.record()).enrolledAtMs).toBeUndefined();
  });
});

describe("the only version, which KMS deleted with its alias", () => {
  test("is replaced by a key with the tags of a next version, once an operator reconciles", async () => {
    const world = await aWorld();
    const KeyId = await world.targetOf(orders);
    await world.passDays(3);
    await world.ask("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await world.passDays(8);
    expect(await world.findings()).toEqual(["VERSION_DELETED"]);
    const next = { "keyturn:owner": "acme", "keyturn:alias": orders, "keyturn:version": "2" };
    const { KeyMetadata: made } = await world.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", {
      Tags: tagList(next),
    });
    await world.ask("CreateAlias", { AliasName: orders, TargetKeyId: made.KeyId });
    await world.asks("reconcile");
    await world.passDays(1);
    const { proposal } = await world.record();
    await world.asks("reconcile", { proposal: proposal?.revision });
    await world.passDays(1);
    expect((await world.record()).versions).toMatchObject([{ keyId: made.KeyId, state: "active" }]);
    expect(await world.findings()).not.toContain("VERSION_DELETED");
  });
});

describe("grants", () => {
  const grant = {
    GranteePrincipal: "arn:aws:iam::000000000000:role/app",
    Operations: ["Decrypt", "Encrypt"],
  };

  test("are created once, however long the listing lags", async () => {
    const world = await aWorld();
    await world.ask("CreateGrant", { KeyId: await world.targetOf(orders), ...grant });
    const first = await world.targetOf(orders);
    world.intercept = async (_port, method, input, proceed) =>
      method === "grantsOf" && input[0] !== first ? { kind: "observed", value: [] } : proceed();
    await world.passDays(84);
    const { Grants } = await world.ask<{ Grants: object[] }>("ListGrants", {
      KeyId: await world.targetOf(orders),
    });
    expect(Grants).toHaveLength(1);
    expect(world.calls.filter((operation) => operation === "CreateGrant")).toHaveLength(1);
  });

  test("on the old version, created while the new one propagates, are copied too", async () => {
    const world = await aWorld({ policy: { propagationMs: 2 * hourMs } });
    const KeyId = await world.targetOf(orders);
    await world.passDays(83);
    await world.pass(hourMs);
    await world.ask("CreateGrant", { KeyId, ...grant });
    await world.passDays(1);
    const active = await world.targetOf(orders);
    expect(active).not.toBe(KeyId);
    const { Grants } = await world.ask<{ Grants: object[] }>("ListGrants", { KeyId: active });
    expect(Grants).toHaveLength(1);
  });
});

describe("keyturn reports a managed key whose passes fail again and again", () => {
  test("without an answer to UpdateAlias", async () => {
    const world = await aWorld();
    await world.passDays(82);
    onCall(world, "UpdateAlias", () => Promise.resolve(noAnswer));
    await world.passDays(3);
    expect(await world.findings()).toContain("STUCK");
    world.intercept = undefined;
    await world.passDays(2);
    expect(await world.findings()).toEqual([]);
  });

  test("without an answer to CreateKey, whose keys the tag search does not find", async () => {
    const world = await aWorld();
    await world.passDays(82);
    world.intercept = (_port, method, input, proceed) => {
      if (method === "keysTagged") return Promise.resolve([]);
      const call = input[0] as Call | undefined;
      if (method !== "change" || call?.kind !== "CreateKey") return proceed();
      return proceed().then(() => noAnswer);
    };
    await world.passDays(3);
    expect(await world.findings()).toContain("STUCK");
    expect(world.calls.filter((operation) => operation === "CreateKey").length).toBeLessThan(10);
    world.intercept = undefined;
    await world.passDays(3);
    expect(world.history()).toContain("activated");
    expect(await world.findings()).toEqual([]);
  });

  test("after a wrong clock", async () => {
    const world = await aWorld();
    await world.passDays(83);
    await world.pass(5 * minuteMs);
    const stored = await world.table.read(orders);
    if (stored === undefined) throw new Error("a record was expected");
    const { revision, epoch } = stored.record;
    const { writes } = stored;
    const unsettled = [{ epoch: 0, untilMs: world.clock.nowMs() + 300 * dayMs }];
    await world.table.write(
      { ...stored, record: { ...stored.record, unsettled } },
      { revision, epoch, writes },
    );
    await world.passDays(1);
    expect(await world.findings()).toContain("CLOCK_SKEW");
  });

  test("with a denied DisableKey: the next rotation continues", async () => {
    const world = await aWorld({ policy: { cryptoperiodMs: 60 * dayMs } });
    const first = await world.targetOf(orders);
    onCall(world, "DisableKey", () =>
      Promise.resolve({ kind: "refused", refusal: "AccessDenied", message: "explicit deny" }),
    );
    await world.passDays(150);
    expect(await world.findings()).toContain("ACCESS_DENIED");
    expect(await world.stateOf(first)).toBe("Enabled");
    expect((await world.record()).versions.length).toBeGreaterThan(2);
  });
});

describe("external actors do not delay a rotation by", () => {
  test("a key with its tags that keyturn may not describe", async () => {
    const world = await aWorld();
    let rotationId = "";
    world.intercept = (_port, method, input, proceed) => {
      const call = input[0] as Call | undefined;
      if (method !== "change" || call?.kind !== "CreateKey") return proceed();
      world.intercept = undefined;
      rotationId = call.tags["keyturn:rotation"] ?? "";
      return Promise.resolve(noAnswer);
    };
    await world.passDays(83);
    const AWS = "arn:aws:iam::000000000000:user/person";
    const Statement = [{ Effect: "Allow", Principal: { AWS }, Action: "kms:*", Resource: "*" }];
    await world.ask("CreateKey", {
      Policy: JSON.stringify({ Version: "2012-10-17", Statement }),
      Tags: Object.entries({
        "keyturn:owner": "acme",
        "keyturn:alias": orders,
        "keyturn:rotation": rotationId,
      }).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
    });
    await world.passDays(2);
    expect(world.history()).toContain("activated");
    expect(await world.findings()).not.toContain("ACCESS_DENIED");
  });

  test("two hundred items of a newer schema, always due", async () => {
    const names = Array.from({ length: 200 }, (_, index) => `alias/newer-${index}`);
    const world = await aWorld({
      keys: Object.fromEntries([...names, orders].map((n) => [n, {}])),
    });
    await world.passDays(1);
    for (const name of names) {
      const stored = await world.table.read(name);
      if (stored === undefined) throw new Error("a record was expected");
      const newer = { ...stored.record, schema: 4, dueAtMs: 1 };
      world.table.put({ ...stored, record: newer });
    }
    world.clock.moveTo(world.clock.nowMs() + 83 * dayMs);
    await world.tick();
    expect(world.history(orders)).toContain("generated");
  });
});
