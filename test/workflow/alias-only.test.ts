import { describe, expect, test } from "vitest";
import { keyPolicyOf, policyHash } from "../../lambda/record/canonical.ts";
import {
  aliasOnlyOf,
  whyNotAliasOnly,
  withAliasOnly,
  withoutAliasOnly,
} from "../../lambda/workflow/enrolment/alias-only.ts";

const account = "arn:aws:iam::000000000000";
const delegate = {
  Sid: "Enable IAM User Permissions",
  Effect: "Allow",
  Principal: { AWS: `${account}:root` },
  Action: "kms:*",
  Resource: "*",
};
const ours = {
  Sid: "KeyturnAliasOnly",
  Effect: "Deny",
  Principal: "*",
  Action: ["kms:Encrypt", "kms:GenerateDataKey*", "kms:GenerateMac", "kms:Sign"],
  Resource: "*",
  Condition: { StringNotEquals: { "kms:RequestAlias": ["alias/orders"] } },
};
const forged = { ...delegate, Sid: "KeyturnAliasOnly", Principal: "*" };

function policyOf(...statements: unknown[]): string {
  return JSON.stringify({ Version: "2012-10-17", Id: "p", Statement: statements }, null, 1);
}

const parsed = (document: string): unknown => JSON.parse(document);

describe("a copied key policy", () => {
  test("has the statement last, and once after several copies", () => {
    const wanted = { Version: "2012-10-17", Id: "p", Statement: [delegate, ours] };
    let document = policyOf(delegate);
    for (let copy = 0; copy < 3; copy += 1) document = withAliasOnly(document, ["alias/orders"]);
    expect(parsed(document)).toEqual(wanted);
  });

  test("names the current aliases, and no longer the previous ones", () => {
    const before = withAliasOnly(policyOf(delegate), ["alias/orders"]);
    const after = withAliasOnly(before, ["alias/a", "alias/b"]);
    expect(aliasOnlyOf(after)).toEqual(["alias/a", "alias/b"]);
  });

  test("loses the statement where the policy no longer asks for it", () => {
    const document = withAliasOnly(policyOf(ours, delegate), undefined);
    expect(parsed(document)).toEqual(parsed(policyOf(delegate)));
  });

  test("loses any other statement with its Sid, which is unique", () => {
    const document = withAliasOnly(policyOf(forged, delegate), ["alias/orders"]);
    expect(parsed(document)).toEqual(parsed(policyOf(delegate, ours)));
  });

  test("may have had a single statement outside a list", () => {
    const document = JSON.stringify({ Version: "2012-10-17", Statement: delegate });
    expect(parsed(withAliasOnly(document, ["alias/orders"]))).toEqual({
      Version: "2012-10-17",
      Statement: [delegate, ours],
    });
  });

  test.each([policyOf(delegate), `{ "Statement" : ${JSON.stringify(delegate)} }`, "{ }"])(
    "is what it was to the byte where there is nothing to do: %s",
    (document) => {
      expect(withAliasOnly(document, undefined)).toBe(document);
      expect(withoutAliasOnly(document)).toBe(document);
    },
  );
});

describe("the aliases are read from a statement", () => {
  test.each<[how: string, changes: object]>([
    ["as keyturn writes it", {}],
    ["with the actions in another order", { Action: [...ours.Action].reverse() }],
    ["for all principals in the longer spelling", { Principal: { AWS: "*" } }],
    ["for all principals as a list of one", { Principal: { AWS: ["*"] } }],
    ["with a list of one resource", { Resource: ["*"] }],
    [
      "with one alias and no list",
      { Condition: { StringNotEquals: { "kms:RequestAlias": "alias/orders" } } },
    ],
  ])("%s", (_how, changes) => {
    const document = policyOf(delegate, { ...ours, ...changes });
    expect(aliasOnlyOf(document)).toEqual(["alias/orders"]);
    expect(parsed(withoutAliasOnly(document))).toEqual(parsed(policyOf(delegate)));
    expect(policyHash(document)).toBe(policyHash(policyOf(delegate)));
  });

  const names = { "kms:RequestAlias": ["alias/orders"] };
  test.each<[why: string, changes: object]>([
    ["that allows", { Effect: "Allow" }],
    ["for one principal", { Principal: { AWS: `${account}:root` } }],
    ["for services too", { Principal: { AWS: "*", Service: "s3.amazonaws.com" } }],
    ["with NotPrincipal", { Principal: undefined, NotPrincipal: "*" }],
    ["with one action less", { Action: ours.Action.slice(1) }],
    ["with one action more", { Action: [...ours.Action, "kms:Decrypt"] }],
    ["with an action twice", { Action: ["kms:Sign", ...ours.Action.slice(1)] }],
    ["with another resource", { Resource: "arn:aws:kms:us-east-1:000000000000:key/k" }],
    ["without a condition", { Condition: undefined }],
    ["with another operator", { Condition: { StringEquals: names } }],
    ["with a second operator", { Condition: { StringNotEquals: names, Bool: {} } }],
    [
      "with a second key",
      { Condition: { StringNotEquals: { ...names, "aws:PrincipalArn": "a" } } },
    ],
    ["with no alias", { Condition: { StringNotEquals: { "kms:RequestAlias": [] } } }],
    ["with one element more", { NotResource: "*" }],
    ["with another Sid", { Sid: "Keyturn" }],
  ])("but not from one %s, which stays and counts", (_why, changes) => {
    const document = policyOf(delegate, { ...ours, ...changes });
    expect(aliasOnlyOf(document)).toBeUndefined();
    expect(withoutAliasOnly(document)).toBe(document);
    expect(policyHash(document)).not.toBe(policyHash(policyOf(delegate)));
    expect(keyPolicyOf(document)).not.toHaveProperty("aliasOnly");
  });

  test("but not where two have its Sid", () => {
    const document = policyOf(ours, forged);
    expect(aliasOnlyOf(document)).toBeUndefined();
    expect(withoutAliasOnly(document)).toBe(document);
  });
});

describe("two key policies that differ only in the statement have the same hash", () => {
  test("with it and without it, and for other aliases", () => {
    const plain = policyOf(delegate);
    const bound = [["alias/a"], ["alias/b", "alias/c"]].map((aliases) =>
      keyPolicyOf(withAliasOnly(plain, aliases)),
    );
    expect(bound.map(({ hash }) => hash)).toEqual([policyHash(plain), policyHash(plain)]);
    expect(bound.map(({ aliasOnly }) => aliasOnly)).toEqual([["alias/a"], ["alias/b", "alias/c"]]);
  });
});

describe("a key cannot have the statement", () => {
  const app = { grantee: `${account}:role/app` };
  const scaling = `${account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRole`;
  const instance = "arn:aws:sts::000000000000:assumed-role/aws:ec2-infrastructure/i-1";
  test.each<[grant: Parameters<typeof whyNotAliasOnly>[1][number]]>([
    [{ grantee: "rds.us-east-1.amazonaws.com" }],
    [{ grantee: "s3.c2s.ic.gov", granteeIsService: true }],
    [{ ...app, retiring: "s3.c2s.ic.gov", retiringIsService: true }],
    [{ grantee: scaling }],
    [{ grantee: instance }],
    [{ ...app, retiring: "dynamodb.us-east-1.amazonaws.com" }],
  ])("where a service has a grant: %j", (grant) => {
    const service = grant.retiring ?? grant.grantee;
    const why = whyNotAliasOnly(policyOf(delegate), [app, grant]);
    expect(why).toBe(`a grant names the service ${service}`);
  });

  test.each<[statement: object, why: RegExp]>([
    [{ Principal: { Service: "logs.us-east-1.amazonaws.com" } }, /service logs\.us-east-1/],
    [{ Principal: { AWS: [`${account}:root`], Service: ["a.amazonaws.com"] } }, /service a\./],
    [{ Principal: { AWS: [`${account}:root`, scaling] } }, /role\/aws-service-role\/autoscaling/],
    [{ Condition: { StringEquals: { "kms:ViaService": "s3.amazonaws.com" } } }, /kms:ViaService/],
    [{ Condition: { Bool: {}, StringLike: { "KMS:viaservice": ["s3.*"] } } }, /KMS:viaservice/],
  ])("where the key policy allows one: %j", (statement, why) => {
    const document = policyOf(delegate, { ...delegate, Sid: "s", ...statement });
    expect(whyNotAliasOnly(document, [app])).toMatch(why);
    const alone = JSON.stringify({ Statement: { ...delegate, ...statement } });
    expect(whyNotAliasOnly(alone, [])).toMatch(why);
  });

  test.each<[statement: object]>([
    [{ Condition: { StringEquals: { "kms:CallerAccount": "000000000000" } } }],
    [{ Principal: undefined, NotPrincipal: { AWS: `${account}:role/x` } }],
    [{ Principal: "*" }],
  ])("but can where a statement limits callers in another way: %j", (statement) => {
    const document = policyOf(delegate, { ...delegate, Sid: "s", ...statement });
    expect(whyNotAliasOnly(document, [app])).toBeUndefined();
  });

  test("but can where no statement names a service, or only to deny it", () => {
    const denied = { ...delegate, Effect: "Deny", Principal: { Service: "s3.amazonaws.com" } };
    const condition = { Condition: { StringEquals: { "kms:ViaService": "s3.amazonaws.com" } } };
    const document = policyOf(delegate, denied, { ...denied, ...condition, Principal: "*" });
    expect(whyNotAliasOnly(document, [app, { ...app, retiring: `${account}:root` }])).toBe(
      undefined,
    );
    expect(whyNotAliasOnly(withAliasOnly(document, ["alias/orders"]), [])).toBe(undefined);
  });
});
