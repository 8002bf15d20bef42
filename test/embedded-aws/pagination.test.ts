import type { KMS } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { account, arnOf, openLab, outcomeOf, type Lab } from "./harness.ts";

type Names = (string | undefined)[];
type Page = { Truncated?: boolean | undefined; NextMarker?: string | undefined };
type PageInput = { Limit?: number; Marker?: string };
type Listing = {
  list(input: PageInput): Promise<Page & { names: Names }>;
  total: number;
  defaultLimit: number;
  maxLimit: number;
};

let lab: Lab;
let kms: KMS;
let KeyId: string;
const retiring = arnOf("retiring");

beforeAll(async () => {
  lab = await openLab({ predefinedAliases: [] });
  ({ kms } = lab);
  const Tags = Array.from({ length: 50 }, (_, i) => ({ TagKey: `t${i}`, TagValue: "" }));
  ({ KeyId } = await lab.aKey({ Tags }));
  const keys = Array.from({ length: 104 }, () => lab.aKey());
  const targets = [KeyId, ...(await Promise.all(keys)).map((key) => key.KeyId)];
  for (let i = 0; i < 60; i++) {
    await kms.createAlias({ AliasName: `alias/p-${i}`, TargetKeyId: targets[i] });
    const GranteePrincipal = arnOf(`grantee-${i % 2}`);
    const grant = { KeyId, GranteePrincipal, RetiringPrincipal: retiring };
    await kms.createGrant({ ...grant, Operations: ["Encrypt"] });
  }
  for (let i = 0; i < 20; i++) await kms.rotateKeyOnDemand({ KeyId });
});

afterAll(async () => {
  await lab.close();
});

/** A List operation, and the names in its answer. */
function listing<P extends Page>(
  ask: (input: PageInput) => Promise<P>,
  namesOf: (page: P) => Names | undefined,
  sizes: Omit<Listing, "list">,
): Listing {
  return {
    ...sizes,
    async list(input) {
      const page = await ask(input);
      const { Truncated, NextMarker } = page;
      return { Truncated, NextMarker, names: namesOf(page) ?? [] };
    },
  };
}

const listings: Record<string, Listing> = {
  ListKeys: listing(
    (input) => kms.listKeys(input),
    (page) => page.Keys?.map((key) => key.KeyId),
    { total: 105, defaultLimit: 100, maxLimit: 1000 },
  ),
  ListAliases: listing(
    (input) => kms.listAliases(input),
    (page) => page.Aliases?.map((alias) => alias.AliasName),
    { total: 60, defaultLimit: 50, maxLimit: 100 },
  ),
  ListGrants: listing(
    (input) => kms.listGrants({ KeyId, ...input }),
    (page) => page.Grants?.map((grant) => grant.GrantId),
    { total: 60, defaultLimit: 50, maxLimit: 100 },
  ),
  ListRetirableGrants: listing(
    (input) => kms.listRetirableGrants({ RetiringPrincipal: retiring, ...input }),
    (page) => page.Grants?.map((grant) => grant.GrantId),
    { total: 60, defaultLimit: 50, maxLimit: 100 },
  ),
  ListResourceTags: listing(
    (input) => kms.listResourceTags({ KeyId, ...input }),
    (page) => page.Tags?.map((tag) => tag.TagKey),
    { total: 50, defaultLimit: 50, maxLimit: 50 },
  ),
  ListKeyPolicies: listing(
    (input) => kms.listKeyPolicies({ KeyId, ...input }),
    (page) => page.PolicyNames,
    { total: 1, defaultLimit: 100, maxLimit: 1000 },
  ),
  ListKeyRotations: listing(
    (input) => kms.listKeyRotations({ KeyId, ...input }),
    (page) => page.Rotations?.map((rotation) => rotation.KeyMaterialId),
    { total: 20, defaultLimit: 100, maxLimit: 1000 },
  ),
};

describe.each(Object.entries(listings))("%s", (_, listing) => {
  test("returns each item once, page by page", async () => {
    const names: Names = [];
    let page = await listing.list({ Limit: 7 });
    for (;;) {
      expect(page.Truncated).toBe(page.NextMarker !== undefined);
      expect(page.names.length).toBeLessThanOrEqual(7);
      names.push(...page.names);
      if (page.NextMarker === undefined) break;
      page = await listing.list({ Limit: 7, Marker: page.NextMarker });
    }
    expect(names.length).toBe(listing.total);
    expect(new Set(names).size).toBe(listing.total);
  });

  test("has its own default and its own limits", async () => {
    const page = await listing.list({});
    expect(page.names.length).toBe(Math.min(listing.total, listing.defaultLimit));
    const whole = await listing.list({ Limit: listing.maxLimit });
    expect(whole.names.length).toBe(listing.total);
    for (const Limit of [0, listing.maxLimit + 1]) {
      expect(await outcomeOf(listing.list({ Limit }))).toBe("ValidationException");
    }
  });

  test("accepts only its own markers", async () => {
    for (const Marker of ["garbage", "W10=", Buffer.from('["x",1]').toString("base64")]) {
      expect(await outcomeOf(listing.list({ Marker }))).toBe("InvalidMarkerException");
    }
  });
});

test("a marker of one key's listing is invalid for another's", async () => {
  const { NextMarker } = await kms.listGrants({ KeyId, Limit: 1 });
  const { KeyId: other } = await lab.aKey();
  const list = kms.listGrants({ KeyId: other, Marker: NextMarker });
  expect(await outcomeOf(list)).toBe("InvalidMarkerException");
});

test("a deletion between two pages shifts nothing", async () => {
  const { Aliases: first = [], NextMarker } = await kms.listAliases({ Limit: 10 });
  for (const { AliasName } of first) await kms.deleteAlias({ AliasName });
  const { Aliases: rest = [] } = await kms.listAliases({ Limit: 100, Marker: NextMarker });
  expect(rest.length).toBe(50);
  expect(rest.every((alias) => alias.AliasArn?.includes(account))).toBe(true);
});

test("grants are found by grantee and by id", async () => {
  const { Grants: all = [] } = await kms.listGrants({
    KeyId,
    GranteePrincipal: arnOf("grantee-1"),
  });
  expect(all.length).toBe(30);
  const GrantId = all[0]?.GrantId;
  expect((await kms.listGrants({ KeyId, GrantId })).Grants).toEqual([all[0]]);
});
