import { describe, expect, test } from "vitest";
import { dayMs } from "../fixtures.ts";
import { aWorld, type World, type WorldOptions } from "../world.ts";

const payroll = "alias/payroll";

/** A world that does not manage this alias, and the key of an external actor behind it. */
async function anUnmanagedKey(
  options: WorldOptions = {},
): Promise<{ world: World; keyId: string }> {
  const world = await aWorld({ taggedAliases: ["alias/pay*"], ...options });
  await world.passDays(1);
  const made = await world.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", {});
  const { KeyId: keyId } = made.KeyMetadata;
  await world.ask("CreateAlias", { AliasName: payroll, TargetKeyId: keyId });
  return { world, keyId };
}

describe("a request to enrol a key", () => {
  test("has the next run enrol it, rotates it, and disables it at most", async () => {
    const policy = { retire: "delete", cryptoperiodMs: 60 * dayMs } as const;
    const { world, keyId } = await anUnmanagedKey({ policy });
    world.request("enrol", { policy: "quarterly", reason: "payroll is ours now" }, payroll);
    await world.passDays(1);
    expect(world.history(payroll).slice(0, 4)).toEqual([
      "enrol-requested",
      "found",
      "tagged",
      "enrolled",
    ]);
    expect(world.table.journal(payroll)[0]).toMatchObject({
      reason: "payroll is ours now",
      detail: { by: "ada", policy: "quarterly" },
    });
    await world.passDays(300);
    expect(await world.stateOf(keyId)).toBe("Disabled");
    const { versions, enrolledBy } = await world.record(payroll);
    const states = await Promise.all(versions.map((one) => world.stateOf(one.keyId)));
    expect([enrolledBy, states.includes("PendingDeletion")]).toEqual(["request", false]);
    expect(world.errors).toEqual([]);
  });

  test.each([
    [
      "that no pattern matches",
      { taggedAliases: ["alias/other-*"] },
      "quarterly",
      /does not match/,
    ],
    ["under an unknown policy", {}, "weekly", /no policy weekly, only quarterly/],
    [
      "under a name that every JavaScript object has",
      {},
      "constructor",
      /no policy constructor, only/,
    ],
  ])("%s is rejected, and nothing changes", async (_, options, policy, why) => {
    const { world, keyId } = await anUnmanagedKey({ ...options });
    const { calls } = world;
    const before = calls.filter((name) => name === "TagResource").length;
    world.request("enrol", { policy }, payroll);
    await world.passDays(1);
    const refused = world.reported.filter(({ finding }) => finding.code === "REQUEST_REJECTED");
    expect(refused.map(({ finding }) => finding.observed)).toEqual([expect.stringMatching(why)]);
    expect(calls.filter((name) => name === "TagResource")).toHaveLength(before);
    expect(await world.stateOf(keyId)).toBe("Enabled");
    expect(await world.table.requests(payroll)).toEqual([]);
  });

  test("planned on a deleted record is rejected, and creates no record", async () => {
    const { world } = await anUnmanagedKey();
    world.request("enrol", { policy: "quarterly", ifHead: "a".repeat(64) }, payroll);
    await world.passDays(1);
    expect(world.reported.map(({ finding }) => finding.observed)).toEqual([
      expect.stringContaining("the plan is of a deleted record"),
    ]);
    expect(await world.table.read(payroll)).toBeUndefined();
  });

  test("that moves with another is rejected", async () => {
    const world = await aWorld({ aliases: { "alias/orders": [payroll] } });
    await world.passDays(1);
    world.request("enrol", { policy: "quarterly" }, payroll);
    await world.passDays(1);
    expect(world.reported.map(({ finding }) => finding.observed)).toEqual([
      expect.stringContaining("it is an alias of alias/orders"),
    ]);
  });

  test("twice, and under a wrong policy first, enrols it once", async () => {
    const { world } = await anUnmanagedKey();
    world.request("enrol", { policy: "weekly" }, payroll);
    world.request("enrol", { policy: "quarterly" }, payroll);
    world.request("enrol", { policy: "quarterly" }, payroll);
    await world.passDays(1);
    const history = world.history(payroll);
    expect(history.filter((event) => event === "enrolled")).toHaveLength(1);
    expect(history.filter((event) => event === "request-rejected")).toHaveLength(1);
  });

  test("that was un-enrolled enrols it again", async () => {
    const { world } = await anUnmanagedKey();
    world.request("enrol", { policy: "quarterly" }, payroll);
    await world.passDays(1);
    world.request("un-enrol", { confirm: payroll }, payroll);
    await world.passDays(1);
    world.request("enrol", { policy: "quarterly" }, payroll);
    await world.passDays(1);
    const { enrolledAtMs, versions } = await world.record(payroll);
    expect([enrolledAtMs === undefined, versions.length]).toEqual([false, 1]);
  });

  test("of another owner enrols nothing, and changes no key", async () => {
    const { world, keyId } = await anUnmanagedKey();
    const Tags = [{ TagKey: "keyturn:owner", TagValue: "another" }];
    await world.ask("TagResource", { KeyId: keyId, Tags });
    const before = world.calls.length;
    world.request("enrol", { policy: "quarterly" }, payroll);
    await world.passDays(2);
    expect(await world.findings(payroll)).toEqual(["OTHER_OWNER"]);
    const changing = world.calls.slice(before).filter((name) => !/^(Describe|List|Get)/.test(name));
    expect(changing).toEqual([]);
  });

  test("enrols it although any single answer is lost", async () => {
    for (let at = 0; at < 40; at++) {
      const { world } = await anUnmanagedKey();
      world.request("enrol", { policy: "quarterly" }, payroll);
      let left = at;
      let broke = false;
      world.intercept = async (port, method, _input, proceed) => {
        if (left-- !== 0 || port === "events") return proceed();
        broke = true;
        await proceed();
        throw new Error(`${port}.${method} has no answer`);
      };
      await world.tick().catch(() => undefined);
      world.intercept = undefined;
      await world.passDays(2);
      const { enrolledAtMs } = await world.record(payroll);
      expect([at, broke, enrolledAtMs === undefined]).toEqual([at, broke, false]);
      expect(world.history(payroll).filter((event) => event === "enrol-requested")).toHaveLength(1);
      if (!broke) break;
    }
  });
});
