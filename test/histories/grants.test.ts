import { describe, expect, test } from "vitest";
import type { Grant as TwinGrant } from "../../embedded-aws/kms/types.ts";
import listed from "../cases/list-grants-2026.json" with { type: "json" };
import { hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, startMs, type World } from "../world.ts";

const orders = "alias/orders";
const account = "arn:aws:iam::000000000000";
const app = `${account}:role/app`;
const scaling = `${account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`;
const deletedId = "AROAEXAMPLEID12345678";

const policy = { retire: "disable" } as const;

async function grant(world: World, KeyId: string, more: object = {}): Promise<string> {
  const input = { KeyId, GranteePrincipal: app, Operations: ["Decrypt"], ...more };
  return (await world.ask<{ GrantId: string }>("CreateGrant", input)).GrantId;
}

function grantsOn(world: World, keyId: string): TwinGrant[] {
  return [...(world.kms.world.keys.get(keyId)?.grants.values() ?? [])];
}

/** Days pass until the alias points at another key, whose id it returns. */
async function moved(world: World, from: string): Promise<string> {
  for (let day = 0; day < 120; day++) {
    const target = await world.targetOf(orders);
    if (target !== from) return target;
    await world.passDays(1);
  }
  throw new Error("the alias did not move");
}

async function untilCopying(world: World): Promise<void> {
  await world.pass(hourMs);
  for (let count = 0; count < 4000; count++) {
    const [rotation] = (await world.record()).rotations;
    if (rotation?.step === "distribute") return;
    await world.pass(hourMs);
  }
  throw new Error("no rotation");
}

describe("a key with hundreds of grants", () => {
  test("rotates: several passes copy them all, each lists them once, and none fails", async () => {
    const world = await aWorld({ policy });
    const first = await world.targetOf(orders);
    for (let index = 0; index < 330; index++) {
      const GranteePrincipal = `${account}:role/app-${index}`;
      await grant(world, first, { GranteePrincipal });
    }
    const lists: number[] = [];
    let before = 0;
    world.afterRun = () => {
      const made = world.calls.slice(before);
      before = world.calls.length;
      if (made.includes("CreateGrant"))
        lists.push(made.filter((operation) => operation === "ListGrants").length);
      return Promise.resolve();
    };
    const second = await moved(world, first);
    const granteesOn = (keyId: string): string[] =>
      grantsOn(world, keyId).map(({ grantee }) => grantee);
    expect(granteesOn(second).sort()).toEqual(granteesOn(first).sort());
    // Pages of 50: seven of the old key, and one more of the new one from pass to pass.
    expect(lists).toEqual([8, 8, 9, 10, 11, 12, 13]);
    expect(world.calls.filter((operation) => operation === "CreateGrant")).toHaveLength(330);
    expect([world.errors, world.reported]).toEqual([[], []]);
  });
});

describe("the grants of AWS services", () => {
  test("have no copy, but a customer's grant to a service-linked role has one", async () => {
    const world = await aWorld({ policy });
    const first = await world.targetOf(orders);
    const Constraints = { SourceArn: "arn:aws:dynamodb:us-east-1:000000000000:table/t" };
    await grant(world, first, {
      GranteePrincipal: undefined,
      GranteeServicePrincipal: "dynamodb.amazonaws.com",
      RetiringServicePrincipal: "dynamodb.amazonaws.com",
      Constraints,
    });
    await grant(world, first, {
      GranteePrincipal: scaling,
      Operations: ["Decrypt", "CreateGrant"],
    });
    const second = await moved(world, first);
    expect(grantsOn(world, second).map(({ grantee }) => grantee)).toEqual([scaling]);
    await world.passDays(60);
    // Both hold version 1: an operator decides on it.
    expect(await world.stateOf(first)).toBe("Enabled");
    expect(await world.findings()).toEqual(["GRANT_HOLDS_OLD_VERSION"]);
  });
});

describe("the grants that KMS lists since May 2026", () => {
  test("let a whole rotation pass, once the service has retired its own", async () => {
    const world = await aWorld({ policy });
    const first = await world.targetOf(orders);
    const { grants } = world.kms.world.keys.get(first) ?? { grants: new Map<string, TwinGrant>() };
    for (const { GrantId: grantId, Name: name, ...entry } of listed.Grants) {
      const { GranteePrincipal, GranteeServicePrincipal = "", RetiringServicePrincipal } = entry;
      grants.set(grantId, {
        ...{ grantId, name, operations: entry.Operations, createdAtMs: startMs },
        ...(GranteePrincipal === undefined
          ? { grantee: GranteeServicePrincipal, granteeIsService: true }
          : { grantee: GranteePrincipal }),
        ...(RetiringServicePrincipal === undefined
          ? {}
          : { retiring: RetiringServicePrincipal, retiringIsService: true }),
        ...(entry.Constraints === undefined ? {} : { constraints: entry.Constraints }),
      });
    }
    const second = await moved(world, first);
    expect(grantsOn(world, second)).toMatchObject([
      {
        name: "g",
        grantee: "arn:aws:iam::111122223333:role/app",
        constraints: { SourceArn: "arn:aws:s3:::one-bucket" },
      },
    ]);
    const codes = ["CALLERS_UNSEEN", "GRANT_HOLDS_OLD_VERSION"];
    expect((await world.findings()).sort()).toEqual([...codes, "GRANT_LEFT_OUT"]);
    await world.passDays(60);
    expect((await world.findings()).sort()).toEqual(codes);
    grants.delete("b".repeat(64));
    await world.passDays(10);
    expect(await world.stateOf(first)).toBe("Disabled");
    expect(await world.findings()).toEqual(["CALLERS_UNSEEN"]);
  });
});

describe("a grant for a deleted role", () => {
  test("has no copy, and a notice names it until the drain ends", async () => {
    const world = await aWorld({ policy });
    const first = await world.targetOf(orders);
    const grantId = await grant(world, first, { RetiringPrincipal: `${account}:role/other` });
    world.kms.world.unknownPrincipals.set(app, deletedId);
    const second = await moved(world, first);
    await world.passDays(1);
    expect(grantsOn(world, second)).toEqual([]);
    expect((await world.record()).findings).toEqual([
      expect.objectContaining({
        code: "GRANT_LEFT_OUT",
        subject: first,
        observed: expect.stringContaining(`${grantId}: ${deletedId}`) as string,
        next: `aws kms list-grants --key-id ${first}`,
      }),
    ]);
    await world.passDays(60);
    expect(await world.stateOf(first)).toBe("Disabled");
    expect(await world.findings()).toEqual([]);
  });

  test("that is deleted after the listing is left out too", async () => {
    const world = await aWorld({ policy });
    const first = await world.targetOf(orders);
    await grant(world, first);
    world.intercept = (_port, method, args, proceed) => {
      const [call] = args as [{ kind?: string }];
      if (method === "change" && call.kind === "CreateGrant")
        world.kms.world.unknownPrincipals.set(app, deletedId);
      return proceed();
    };
    const second = await moved(world, first);
    expect(grantsOn(world, second)).toEqual([]);
    expect(world.reported.map(({ finding }) => finding.code)).toEqual(["GRANT_LEFT_OUT"]);
  });
});

describe("a grant for a role that IAM made a minute ago", () => {
  test("is copied once KMS shows the role by its name", async () => {
    const world = await aWorld({ policy });
    const first = await world.targetOf(orders);
    world.kms.world.unknownPrincipals.set(app, deletedId);
    await untilCopying(world);
    world.kms.world.keys.get(first)?.grants.set("a".repeat(64), {
      grantId: "a".repeat(64),
      grantee: app,
      operations: ["Decrypt"],
      createdAtMs: world.clock.nowMs(),
    });
    await world.pass(minuteMs);
    world.kms.world.unknownPrincipals.clear();
    const second = await moved(world, first);
    expect(grantsOn(world, second).map(({ grantee }) => grantee)).toEqual([app]);
    expect(world.reported).toEqual([]);
  });

  test("is tried again while CreateGrant does not know the role, and reported if that lasts", async () => {
    const world = await aWorld({ policy });
    const first = await world.targetOf(orders);
    await grant(world, first);
    const refuse = (untilMs: number): void => {
      world.intercept = (_port, method, args, proceed) => {
        const [call] = args as [{ kind?: string }];
        if (method !== "change" || call.kind !== "CreateGrant") return proceed();
        if (world.clock.nowMs() >= untilMs) return proceed();
        const message = `ARN ${app} is not a valid principal`;
        return Promise.resolve({ kind: "refused", refusal: "UnknownPrincipal", message });
      };
    };
    await world.passDays(1);
    refuse(Infinity);
    await untilCopying(world);
    await world.pass(4 * minuteMs);
    expect(await world.findings()).toEqual([]);
    await world.pass(hourMs);
    expect((await world.record()).findings).toEqual([
      expect.objectContaining({
        code: "CALL_REFUSED",
        observed: expect.stringContaining(`${app} has this grant on version 1`) as string,
      }),
    ]);
    refuse(startMs);
    const second = await moved(world, first);
    expect(grantsOn(world, second)).toHaveLength(1);
    expect(await world.findings()).toEqual([]);
  });
});

describe("a grant with a constraint that keyturn does not know", () => {
  const strange = { SourceVpc: "vpc-1" } as object;

  function withStrange(world: World, keyId: string, grantId = "b".repeat(64)): void {
    const constraints = { ...strange };
    world.kms.world.keys.get(keyId)?.grants.set(grantId, {
      grantId,
      grantee: app,
      operations: ["Decrypt"],
      constraints,
      createdAtMs: world.clock.nowMs(),
    });
  }

  test("stops the rotation before the next key, and the rotation begins once it is revoked", async () => {
    const world = await aWorld({ policy });
    const first = await world.targetOf(orders);
    await world.passDays(1);
    withStrange(world, first);
    await world.passDays(100);
    expect(world.kms.snapshot().keys).toHaveLength(1);
    expect(await world.findings()).toContain("GRANT_NOT_UNDERSTOOD");
    world.kms.world.keys.get(first)?.grants.clear();
    await moved(world, first);
    expect(await world.findings()).toEqual([]);
  });

  test("stops the enrolment", async () => {
    const world = await aWorld({ policy });
    withStrange(world, await world.targetOf(orders));
    await world.passDays(1);
    expect(await world.findings()).toEqual(["GRANT_NOT_UNDERSTOOD"]);
    expect((await world.record()).enrolledAtMs).toBeUndefined();
  });

  test("stops a rotation under way until an operator makes the same grant on the new version", async () => {
    const world = await aWorld({ policy });
    const first = await world.targetOf(orders);
    await untilCopying(world);
    withStrange(world, first);
    await world.passDays(10);
    expect(await world.targetOf(orders)).toBe(first);
    expect(await world.findings()).toContain("GRANT_NOT_UNDERSTOOD");
    const fresh = (await world.record()).versions.at(-1)?.keyId ?? "";
    expect(grantsOn(world, fresh)).toEqual([]);
    withStrange(world, fresh, "c".repeat(64));
    expect(await moved(world, first)).toBe(fresh);
    expect(await world.findings()).not.toContain("GRANT_NOT_UNDERSTOOD");
  });
});
