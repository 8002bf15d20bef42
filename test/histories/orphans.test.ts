import { describe, expect, test } from "vitest";
import { dayMs, hourMs, minuteMs, tagList } from "../fixtures.ts";
import { aWorld, Died, type World } from "../world.ts";

const orders = "alias/orders";
/** `quietFor` of the policy: for an unused key KMS counts from its creation. */
const quietDays = 14;

type Made = { KeyMetadata: { KeyId: string } };

/** The process dies after CreateKey, and for a while the tag search does not find the key. */
async function withAKeyInExcess(): Promise<{ world: World; extra: string }> {
  const world = await aWorld({ policy: { cryptoperiodMs: 365 * dayMs } });
  await world.passDays(357);
  let dead = false;
  let hidden = true;
  world.intercept = async (_port, method, input, proceed) => {
    if (method === "due") dead = false;
    if (dead) throw new Died();
    const call = input[0] as { kind?: string } | undefined;
    if (method === "keysTagged" && hidden) return [];
    const answer = await proceed();
    if (method !== "change" || call?.kind !== "CreateKey" || world.calls.length === 0)
      return answer;
    if (world.kms.world.keys.size > 2) {
      hidden = false;
      return answer;
    }
    dead = true;
    throw new Died();
  };
  await world.passDays(1);
  await world.pass(30 * minuteMs);
  world.intercept = undefined;
  const active = await world.targetOf(orders);
  const first = (await world.record()).versions[0]?.keyId;
  const extra = [...world.kms.world.keys.keys()].find((id) => id !== active && id !== first);
  if (extra === undefined) throw new Error("an excess key was expected");
  return { world, extra };
}

async function tagsOf(world: World, KeyId: string): Promise<Record<string, string>> {
  const answer = await world.ask<{ Tags: { TagKey: string; TagValue: string }[] }>(
    "ListResourceTags",
    { KeyId },
  );
  return Object.fromEntries(answer.Tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]));
}

describe("a CreateKey whose answer was lost", () => {
  test("is found and adopted, also if the call lands minutes later", async () => {
    const world = await aWorld();
    world.intercept = (_port, method, input, proceed) => {
      const call = input[0] as { kind?: string } | undefined;
      if (method !== "change" || call?.kind !== "CreateKey") return proceed();
      world.intercept = undefined;
      world.underWay.push({ atMs: world.clock.nowMs() + 5 * minuteMs, land: proceed });
      return Promise.resolve({ kind: "unknown", message: "no answer" });
    };
    await world.passDays(84);
    expect(world.history()).toContain("adopted");
    expect(world.kms.world.keys.size).toBe(2);
  });

  test("is not confused with another key that carries its tags: that one is an excess key", async () => {
    const world = await aWorld();
    let rotationId = "";
    world.intercept = (_port, method, input, proceed) => {
      const call = input[0] as { kind?: string; tags?: Record<string, string> } | undefined;
      if (method !== "change" || call?.kind !== "CreateKey") return proceed();
      world.intercept = undefined;
      rotationId = call.tags?.["keyturn:rotation"] ?? "";
      return Promise.resolve({ kind: "unknown", message: "no answer" });
    };
    await world.passDays(83);
    const { KeyMetadata } = await world.ask<Made>("CreateKey", {
      KeySpec: "RSA_2048",
      KeyUsage: "ENCRYPT_DECRYPT",
      Tags: tagList({
        "keyturn:owner": "acme",
        "keyturn:alias": orders,
        "keyturn:rotation": rotationId,
        "keyturn:version": "2",
        "keyturn:policy": "quarterly",
      }),
    });
    await world.passDays(1);
    expect(world.history()).toContain("not-found");
    expect(await world.targetOf(orders)).not.toBe(KeyMetadata.KeyId);
    const { extras } = await world.record();
    expect(extras).toMatchObject([{ keyId: KeyMetadata.KeyId, rotationId }]);
  });

  test("is not confused with a clone that somebody made hours later, with all of its tags", async () => {
    const world = await aWorld();
    let made = "";
    world.intercept = async (_port, method, input, proceed) => {
      const call = input[0] as { kind?: string } | undefined;
      const answer = await proceed();
      if (method !== "change" || call?.kind !== "CreateKey") return answer;
      world.intercept = (_p, other, _i, go) =>
        other === "due" ? Promise.resolve({ items: [] }) : go();
      [made = ""] = [...world.kms.world.keys.keys()].slice(-1);
      return { kind: "unknown", message: "no answer" };
    };
    await world.passDays(83.5);
    const Tags = tagList(await tagsOf(world, made));
    const { KeyMetadata } = await world.ask<Made>("CreateKey", { Tags });
    await world.ask("DisableKey", { KeyId: made });
    world.intercept = undefined;
    await world.passDays(1);
    expect(world.history()).toContain("not-found");
    expect(await world.targetOf(orders)).not.toBe(KeyMetadata.KeyId);
    expect(await world.targetOf(orders)).not.toBe(made);
  });

  test("is adopted, although an auto-tagger changed one of its copied tags", async () => {
    const world = await aWorld({ keys: { [orders]: { Tags: tagList({ "cost-center": "91" }) } } });
    world.intercept = async (_port, method, input, proceed) => {
      const call = input[0] as { kind?: string } | undefined;
      const answer = await proceed();
      if (method !== "change" || call?.kind !== "CreateKey") return answer;
      world.intercept = undefined;
      const Tags = tagList({ "cost-center": "42" });
      const [KeyId = ""] = [...world.kms.world.keys.keys()].slice(-1);
      await world.ask("TagResource", { KeyId, Tags });
      return { kind: "unknown", message: "no answer" };
    };
    await world.passDays(84);
    expect(world.history()).toContain("adopted");
    expect(world.kms.world.keys.size).toBe(2);
  });
});

describe("an excess key", () => {
  test("is labelled, disabled after the quiet period, never deleted, and its rotation keeps one successor", async () => {
    const { world, extra } = await withAKeyInExcess();
    await world.passDays(13);
    expect(await world.stateOf(extra)).toBe("Enabled");
    await world.passDays(2);
    expect(await world.stateOf(extra)).toBe("Disabled");
    expect(await tagsOf(world, extra)).toHaveProperty("keyturn:retired");
    expect(world.history()).toContain("quarantined");
    expect(world.history().filter((event) => event === "generated")).toHaveLength(1);
    await world.passDays(300);
    expect(await world.stateOf(extra)).toBe("Disabled");
  });

  test.each([
    ["an alias", "CreateAlias", { AliasName: "alias/mine" }, "TargetKeyId"],
    [
      "a grant",
      "CreateGrant",
      { GranteePrincipal: "arn:aws:iam::000000000000:role/a", Operations: ["Decrypt"] },
      "KeyId",
    ],
  ])("that has %s is a finding, and stays as it is", async (_, operation, input, idField) => {
    const { world, extra } = await withAKeyInExcess();
    await world.ask(operation, { ...input, [idField]: extra });
    await world.passDays(10);
    expect(await world.stateOf(extra)).toBe("Enabled");
    expect(await world.findings()).toContain("EXTRA_NOT_QUARANTINED");
  });

  test("that was used is a finding, and stays as it is", async () => {
    const { world, extra } = await withAKeyInExcess();
    await world.ask("Encrypt", { KeyId: extra, Plaintext: Buffer.from("a") });
    world.clock.advance(2 * 3_600_000);
    await world.passDays(10);
    expect(await world.findings()).toContain("EXTRA_NOT_QUARANTINED");
  });
});

describe("the audit", () => {
  test("reports a key with keyturn's owner tag and without a record, and does not change it", async () => {
    const world = await aWorld();
    const { KeyMetadata } = await world.ask<Made>("CreateKey", {
      Tags: [
        { TagKey: "keyturn:owner", TagValue: "acme" },
        { TagKey: "keyturn:alias", TagValue: orders },
        { TagKey: "keyturn:rotation", TagValue: "no-such-rotation" },
      ],
    });
    await world.passDays(15);
    expect(world.table.choreFindings("audit")).toMatchObject([
      { code: "UNKNOWN_KEY", subject: KeyMetadata.KeyId },
    ]);
    expect(await world.stateOf(KeyMetadata.KeyId)).toBe("Enabled");
    expect(await tagsOf(world, KeyMetadata.KeyId)).not.toHaveProperty("keyturn:retired");
  });

  test("adds an excess key of a closed rotation to the record of its managed key", async () => {
    const world = await aWorld();
    await world.passDays(150);
    const rotationId = world.table
      .journal(orders)
      .find(({ event }) => event === "completed")?.rotationId;
    const { KeyMetadata } = await world.ask<Made>("CreateKey", {
      Tags: Object.entries({
        "keyturn:owner": "acme",
        "keyturn:alias": orders,
        "keyturn:rotation": rotationId ?? "",
      }).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
    });
    await world.passDays(8 + quietDays);
    expect(await world.stateOf(KeyMetadata.KeyId)).toBe("Disabled");
  });

  test("finds a key that a killed run had bound but not recorded, and adds it to the record", async () => {
    const { world, extra } = await withAKeyInExcess();
    await world.table.bind(extra, orders, world.clock.nowMs());
    const { extras, ...record } = await world.record();
    expect(extras.map(({ keyId }) => keyId)).toEqual([extra]);
    const stored = await world.table.read(orders);
    if (stored === undefined) throw new Error("a record was expected");
    await world.table.write(
      { ...stored, record: { ...record, extras: [] } },
      { revision: record.revision, epoch: record.epoch, writes: stored.writes },
    );
    await world.passDays(9 + quietDays);
    expect(world.history()).toContain("extra-found");
    expect(await world.stateOf(extra)).toBe("Disabled");
  });

  test("adds it to the record although the managed key has a pass of its own each time", async () => {
    const { world, extra } = await withAnHourlyPass();
    // KMS is slow, and the schedule fires hourly: all hourly work is due in the same run.
    world.intercept = async (port, _method, _input, proceed) => {
      if (port === "keys") for (let passes = 0; passes < 200; passes++) await Promise.resolve();
      return proceed();
    };
    for (let hour = 0; hour < (8 + quietDays) * 24; hour++) {
      world.clock.advance(hourMs);
      await world.tick();
    }
    expect(await world.stateOf(extra)).toBe("Disabled");
    expect(world.history()).toContain("extra-found");
  });

  test("reports it when other runs held the managed key each time for a day", async () => {
    const { world, extra } = await withAnHourlyPass();
    world.intercept = (_port, method, _input, proceed) =>
      method === "claim" ? Promise.resolve({ kind: "taken" }) : proceed();
    await world.passDays(8);
    const [reported] = world.table.choreFindings("audit");
    expect(reported).toMatchObject({ code: "UNKNOWN_KEY", subject: extra });
    expect(reported?.observed).toContain("runs always held the managed key");
    world.intercept = undefined;
    await world.passDays(quietDays);
    expect(await world.stateOf(extra)).toBe("Disabled");
    expect(world.table.choreFindings("audit")).toEqual([]);
  });
});

/** It has an hourly pass, for a lost tag, and a closed rotation that created an excess key. */
async function withAnHourlyPass(): Promise<{ world: World; extra: string }> {
  const world = await aWorld();
  await world.passDays(150);
  const rotationId = world.table
    .journal(orders)
    .find(({ event }) => event === "completed")?.rotationId;
  const lost = { KeyId: await world.targetOf(orders), TagKeys: ["keyturn:version"] };
  await world.ask("UntagResource", lost);
  const { KeyMetadata } = await world.ask<Made>("CreateKey", {
    Tags: Object.entries({
      "keyturn:owner": "acme",
      "keyturn:alias": orders,
      "keyturn:rotation": rotationId ?? "",
    }).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
  });
  return { world, extra: KeyMetadata.KeyId };
}
