import { describe, expect, test } from "vitest";
import { createGrantInput, grantOf, type GrantEntry } from "../../lambda/aws/kms-shapes.ts";
import { AwsError } from "../../embedded-aws/http/aws-error.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import { authorize } from "../../embedded-aws/kms/authorize.ts";
import { cheapCryptography } from "../../embedded-aws/kms/cheap-cryptography.ts";
import { KmsTwin } from "../../embedded-aws/kms/twin.ts";
import type { Call, Grant as TwinGrant, KmsKey } from "../../embedded-aws/kms/types.ts";
import { SimRandom } from "../../embedded-aws/random.ts";
import {
  copyOf,
  grantsLeftOut,
  grantsToCopy,
  grantTerms,
  whyGrantsNotCarried,
} from "../../lambda/workflow/enrolment/carried-grants.ts";
import type { Grant } from "../../lambda/workflow/model/types.ts";
import listed from "../cases/list-grants-2026.json" with { type: "json" };
import { nowMs } from "./scene.ts";

const account = "arn:aws:iam::000000000000";
const app = `${account}:role/app`;
const scaling = `${account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`;
const instance = "arn:aws:sts::000000000000:assumed-role/aws:ec2-infrastructure/i-0abc";
const deleted = "AROAEXAMPLEID12345678";
const bucket = "arn:aws:s3:::one-bucket";

type Members = Omit<TwinGrant, "grantId" | "createdAtMs">;

const grantees: Pick<Members, "grantee" | "granteeIsService">[] = [
  { grantee: app },
  { grantee: scaling },
  { grantee: "arn:aws:sts::000000000000:assumed-role/app/session" },
  { grantee: instance },
  { grantee: "rds.us-east-1.amazonaws.com" },
  { grantee: "s3.c2s.ic.gov", granteeIsService: true },
  { grantee: deleted },
];
const retirings: Pick<Members, "retiring" | "retiringIsService">[] = [
  {},
  { retiring: app },
  { retiring: scaling },
  { retiring: "ec2.us-east-1.amazonaws.com" },
  { retiring: "dynamodb.amazonaws.com", retiringIsService: true },
  { retiring: deleted },
];
const pairs = { tenant: "a" };
const constraints: Pick<Members, "constraints">[] = [
  undefined,
  { EncryptionContextEquals: pairs },
  { EncryptionContextSubset: pairs },
  { SourceArn: bucket },
  { EncryptionContextEquals: pairs, SourceArn: bucket },
  { EncryptionContextSubset: pairs, SourceArn: bucket },
  { SourceVpc: "vpc-1" },
].map((one) => (one === undefined ? {} : { constraints: one }));
const operations = [
  ["Decrypt"],
  ["Encrypt", "GenerateDataKey"],
  ["Decrypt", "RetireGrant"],
  ["CreateGrant", "Decrypt"],
];

const combinations: Members[] = grantees.flatMap((grantee) =>
  retirings.flatMap((retiring) =>
    constraints.flatMap((constraint) =>
      operations.map((some) => ({ ...grantee, ...retiring, ...constraint, operations: some })),
    ),
  ),
);

/** A KMS with an old and a new key, whose key policies allow nothing to the grantees. */
function twoKeys() {
  const clock = new SimClock({ startMs: nowMs });
  const kms = new KmsTwin({
    clock,
    random: new SimRandom(1),
    cryptography: cheapCryptography,
    quotas: "off",
  });
  const person = `${account}:user/person`;
  const Statement = [
    { Effect: "Allow", Principal: { AWS: person }, Action: "kms:*", Resource: "*" },
  ];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  const ask = <T>(operation: string, input: object): T =>
    kms.call(operation, input, { principalArn: person }) as T;
  const aKey = (): KmsKey => {
    const { KeyMetadata } = ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", { Policy });
    const key = kms.world.keys.get(KeyMetadata.KeyId);
    if (key === undefined) throw new Error("no key");
    return key;
  };
  const grantsOf = (key: KmsKey): Grant[] =>
    ask<{ Grants: GrantEntry[] }>("ListGrants", { KeyId: key.keyId }).Grants.map(grantOf);
  return { kms, ask, old: aKey(), fresh: aKey(), grantsOf };
}

const contexts = [undefined, pairs, { tenant: "a", more: "b" }, { tenant: "b" }];
const requests = [
  ["Decrypt"],
  ["Encrypt"],
  ["GenerateDataKey"],
  ["Sign"],
  ["DescribeKey"],
  ["CreateGrant", { operations: ["Decrypt"] }],
  ["CreateGrant", { operations: ["Decrypt"], constraints: { EncryptionContextSubset: pairs } }],
] as const;

/** Everything that the grantee, or somebody else, may do with the key. */
function permittedOn(kms: KmsTwin, key: KmsKey, grantee: string): string[] {
  const permitted: string[] = [];
  for (const principalArn of [grantee, `${account}:role/other`])
    for (const sourceArn of [undefined, bucket, `${bucket}-2`])
      for (const encryptionContext of contexts)
        for (const [action, grant] of requests) {
          const caller = { principalArn, ...(sourceArn === undefined ? {} : { sourceArn }) };
          const call = { world: kms.world, caller, nowMs } as unknown as Call;
          const asked = grant === undefined ? {} : { grant: structuredClone(grant) as never };
          try {
            authorize(call, key, { action, encryptionContext, ...asked });
            permitted.push(
              JSON.stringify([principalArn, sourceArn, encryptionContext, action, grant]),
            );
          } catch (error) {
            if (!(error instanceof AwsError)) throw error;
          }
        }
  return permitted;
}

const ofService = ({ grantee, granteeIsService, retiring, retiringIsService }: Members): boolean =>
  granteeIsService === true ||
  retiringIsService === true ||
  [instance, "rds.us-east-1.amazonaws.com"].includes(grantee) ||
  retiring === "ec2.us-east-1.amazonaws.com";

describe("a grant with any combination of members", () => {
  test("permits by its copy exactly what it permits itself, or has no copy and a reason", () => {
    const { kms, ask, old, fresh, grantsOf } = twoKeys();
    let copied = 0;
    for (const [index, members] of combinations.entries()) {
      const grantId = String(index).padStart(64, "0");
      const name = index % 2 === 0 ? {} : { name: "g" };
      old.grants.set(grantId, { ...members, ...name, grantId, createdAtMs: nowMs });
      const grants = grantsOf(old);
      const [grant] = grantsToCopy(grants);
      const label = JSON.stringify(members);
      const dead = [members.grantee, members.retiring].includes(deleted);
      if (grant === undefined) {
        expect(ofService(members) || dead, label).toBe(true);
        const left = ofService(members) ? [] : [`${grantId}: ${deleted}`];
        expect(grantsLeftOut(grants), label).toEqual(left);
      } else if (grant.notUnderstood !== undefined) {
        expect("SourceVpc" in (members.constraints ?? {}), label).toBe(true);
        expect(whyGrantsNotCarried("key-1", [grant], nowMs)?.observed, label).toContain(
          `${grantId}: Constraints.SourceVpc`,
        );
      } else {
        const call = { kind: "CreateGrant", keyId: fresh.keyId, grant: copyOf(grant) } as const;
        ask("CreateGrant", createGrantInput(call));
        const permitted = permittedOn(kms, old, grant.grantee);
        expect(permitted.length, label).toBeGreaterThan(0);
        expect(permittedOn(kms, fresh, grant.grantee), label).toEqual(permitted);
        expect(grantsOf(fresh).map(grantTerms), label).toEqual([grantTerms(grant)]);
        copied++;
      }
      old.grants.clear();
      fresh.grants.clear();
    }
    // Three grantees, three retiring principals and no `SourceVpc`.
    expect(copied).toBe(3 * 3 * 6 * operations.length);
  });
});

describe("what KMS lists since May 2026", () => {
  const grants = (listed.Grants as GrantEntry[]).map(grantOf);

  test("is a grant for one bucket, which a copy keeps", () => {
    const [forBucket] = grantsToCopy(grants);
    if (forBucket === undefined) throw new Error("nothing to copy");
    expect(copyOf(forBucket)).toEqual({
      name: "g",
      grantee: "arn:aws:iam::111122223333:role/app",
      operations: ["Decrypt"],
      constraints: { sourceArn: bucket },
    });
    const ofAnother = { ...forBucket, constraints: { sourceArn: `${bucket}-2` } };
    expect(grantTerms(ofAnother)).not.toBe(grantTerms(forBucket));
  });

  test("is a grant of DynamoDB, which has no copy and no notice", () => {
    expect(grants[1]).toMatchObject({ grantee: "dynamodb.amazonaws.com", granteeIsService: true });
    expect(grantsToCopy(grants)).toHaveLength(1);
  });

  test("is a grant for a deleted role, which has no copy and is named", () => {
    expect(grantsLeftOut(grants)).toEqual([`${"c".repeat(64)}: ${deleted}`]);
  });
});

describe("a member that keyturn does not know", () => {
  const entry = { GrantId: "g", GranteePrincipal: app, Operations: ["Decrypt" as const] };

  test.each<[what: string, more: object, names: string[]]>([
    ["of the grant", { GranteeRegion: "eu-west-1" }, ["GranteeRegion"]],
    ["of its constraints", { Constraints: { SourceVpc: "v" } }, ["Constraints.SourceVpc"]],
    ["that is false", { Constraints: { Strict: false } }, ["Constraints.Strict"]],
    [
      "instead of a grantee",
      { GranteePrincipal: undefined, GranteeTeam: "t" },
      ["GranteePrincipal", "GranteeTeam"],
    ],
  ])("%s stops the copy", (_what, more, expected) => {
    const grant = grantOf({ ...entry, ...more });
    expect(Object.keys(grant.notUnderstood ?? {})).toEqual(expected);
    expect(whyGrantsNotCarried("key-1", grantsToCopy([grant]), nowMs)).toMatchObject({
      code: "GRANT_NOT_UNDERSTOOD",
      subject: "key-1",
      observed: `keyturn does not know these members of grants: g: ${expected.join(", ")}`,
      next: "aws kms list-grants --key-id key-1",
    });
  });

  test("without a value is none", () => {
    const nulls = { Constraints: { SourceVpc: null }, RetiringTeam: null };
    const grant = grantOf({ ...entry, ...nulls });
    expect(grant).toEqual({ grantId: "g", grantee: app, operations: ["Decrypt"] });
  });
});

test("a finding names twenty grants, and the number of the others", () => {
  const many = Array.from({ length: 23 }, (_, index) => ({
    grantId: `g${index}`,
    grantee: deleted,
    operations: ["Decrypt"],
  }));
  expect(grantsLeftOut(many)).toHaveLength(21);
  expect(grantsLeftOut(many).at(-1)).toBe("3 more");
});
