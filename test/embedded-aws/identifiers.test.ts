import type { KMS } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { account, arnOf, bytes, openLab, refusalOf, type Lab } from "./harness.ts";

let lab: Lab;
let kms: KMS;
let keyId: string;
let arn: string;
const alias = "alias/named";
const aliasArn = `arn:aws:kms:us-east-1:${account}:${alias}`;

beforeAll(async () => {
  lab = await openLab();
  ({ kms } = lab);
  ({ KeyId: keyId, Arn: arn } = await lab.aKey());
  await kms.createAlias({ AliasName: alias, TargetKeyId: keyId });
});

afterAll(async () => {
  await lab.close();
});

describe("a key has four identifiers", () => {
  test("cryptographic operations and DescribeKey accept all four", async () => {
    for (const name of [keyId, arn, alias, aliasArn]) {
      const { KeyId: used } = await kms.encrypt({ KeyId: name, Plaintext: bytes("m") });
      expect(used).toBe(arn);
      const { KeyMetadata: metadata } = await kms.describeKey({ KeyId: name });
      expect(metadata?.KeyId).toBe(keyId);
    }
  });

  const management: Record<string, (KeyId: string) => Promise<unknown>> = {
    CreateGrant: (KeyId) =>
      kms.createGrant({ KeyId, GranteePrincipal: arnOf("alice"), Operations: ["DescribeKey"] }),
    DisableKey: (KeyId) => kms.disableKey({ KeyId }),
    EnableKeyRotation: (KeyId) => kms.enableKeyRotation({ KeyId }),
    GetKeyLastUsage: (KeyId) => kms.getKeyLastUsage({ KeyId }),
    GetKeyPolicy: (KeyId) => kms.getKeyPolicy({ KeyId }),
    ListAliases: (KeyId) => kms.listAliases({ KeyId }),
    ListResourceTags: (KeyId) => kms.listResourceTags({ KeyId }),
    ScheduleKeyDeletion: (KeyId) => kms.scheduleKeyDeletion({ KeyId }),
  };

  test.each(Object.keys(management))("%s takes no alias", async (operation) => {
    const call = management[operation] as (name: string) => Promise<unknown>;
    expect(await refusalOf(call(alias))).toBe(`NotFoundException: Invalid keyId '${alias}'`);
    expect(await refusalOf(call(aliasArn))).toBe(
      "InvalidArnException: Key Aliases are not supported for this operation",
    );
  });

  test("an unknown identifier is rejected with KMS's message", async () => {
    const unknown = "00000000-0000-4000-8000-000000000000";
    const unknownArn = `arn:aws:kms:us-east-1:${account}:key/${unknown}`;
    const refusals: [string, string][] = [
      [unknown, `NotFoundException: Key '${unknownArn}' does not exist`],
      [unknownArn, `NotFoundException: Key '${unknownArn}' does not exist`],
      ["fake", "NotFoundException: Invalid keyId 'fake'"],
      ["mrk-fake", "NotFoundException: Invalid keyId 'mrk-fake'"],
      ["alias/none", `NotFoundException: Alias ${aliasArn.replace("named", "none")} is not found.`],
      [arn.replace("us-east-1", "eu-west-1"), "NotFoundException: Invalid arn eu-west-1"],
      ["arn:aws:s3:::bucket/key", "InvalidArnException: Invalid arn arn:aws:s3:::bucket/key"],
    ];
    for (const [name, expected] of refusals) {
      expect(await refusalOf(kms.describeKey({ KeyId: name }))).toBe(expected);
    }
  });

  test("a key of another account is not visible", async () => {
    const foreign = arn.replace(account, "111111111111");
    expect(await refusalOf(kms.describeKey({ KeyId: foreign }))).toMatch(
      /^AccessDeniedException: /,
    );
  });

  test("a multi-Region key has mrk- in its id", async () => {
    const { KeyMetadata: metadata } = await kms.createKey({ MultiRegion: true });
    expect(metadata?.KeyId).toMatch(/^mrk-[0-9a-f]{32}$/);
    expect(metadata?.MultiRegion).toBe(true);
    expect(metadata?.MultiRegionConfiguration?.PrimaryKey?.Arn).toBe(metadata?.Arn);
    expect((await kms.describeKey({ KeyId: metadata?.KeyId })).KeyMetadata).toEqual(metadata);
  });
});
