import type { KMS } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  arnOf,
  bytes,
  everything,
  openLab,
  outcomeOf,
  policyOf,
  refusalOf,
  type Lab,
} from "./harness.ts";

let lab: Lab;
let kms: KMS;

beforeAll(async () => {
  lab = await openLab();
  ({ kms } = lab);
});

afterAll(async () => {
  await lab.close();
});

describe("a policy that KMS rejects", () => {
  const allowing = (change: object) => policyOf({ ...everything, ...change }, everything);
  const conditioned = (Condition: object) => allowing({ Condition });
  const documents: [string, string][] = [
    ["not JSON", "{"],
    ["not an object", "[]"],
    ["no statement", JSON.stringify({ Version: "2012-10-17" })],
    ["an empty list of statements", policyOf()],
    ["another version", JSON.stringify({ Version: "2013-01-01", Statement: [everything] })],
    ["an unknown element", JSON.stringify({ Statement: [everything], Extra: 1 })],
    ["an invalid statement", policyOf(everything, "statement" as never)],
    ["no effect", allowing({ Effect: undefined })],
    ["a third effect", allowing({ Effect: "Maybe" })],
    ["no principal", allowing({ Principal: undefined })],
    ["principal and NotPrincipal", allowing({ NotPrincipal: "*" })],
    ["an invalid principal", allowing({ Principal: { AWS: "alice" } })],
    ["an unknown kind of principal", allowing({ Principal: { Gcp: "*" } })],
    ["an action that is not a string", allowing({ Action: 5 })],
    ["Action and NotAction", allowing({ NotAction: "kms:Sign" })],
    ["an unknown element of a statement", allowing({ Actions: "kms:Sign" })],
    ["an unknown operator", conditioned({ StringAlmost: { "kms:KeySpec": "x" } })],
    ["one Sid twice", policyOf({ ...everything, Sid: "a" }, { ...everything, Sid: "a" })],
  ];

  test.each(documents)("%s", async (_, Policy) => {
    const { KeyId } = await lab.aKey();
    for (const attempt of [kms.createKey({ Policy }), kms.putKeyPolicy({ KeyId, Policy })]) {
      expect(await outcomeOf(attempt)).toBe("MalformedPolicyDocumentException");
    }
  });

  test.each([
    "aws:ResourceTag/team",
    "kms:ResourceAliases",
    "kms:ResourceTag/team",
    "AWS:resourcetag/x",
  ])("the condition key %s, which belongs in IAM policies", async (name) => {
    const Policy = conditioned({ StringEquals: { [name]: "x" } });
    expect(await refusalOf(kms.createKey({ Policy }))).toBe(
      "MalformedPolicyDocumentException: " +
        `These condition keys are not permitted in a key policy: ${name}`,
    );
  });

  test("more than 32 KiB", async () => {
    const text = (length: number) => {
      const policy = policyOf({ ...everything, Sid: "" }, everything);
      return policy.replace('"Sid":""', `"Sid":"${"x".repeat(length - policy.length)}"`);
    };
    expect(await outcomeOf(kms.createKey({ Policy: text(32_768) }))).toBe("ok");
    expect(await outcomeOf(kms.createKey({ Policy: text(32_769) }))).toBe("LimitExceededException");
  });

  test("one that locks its author out, unless the check is bypassed", async () => {
    const locked = [
      policyOf({ ...everything, Action: "kms:Describe*" }),
      policyOf({ ...everything, Principal: { AWS: arnOf("another-user") } }),
      policyOf(everything, { ...everything, Effect: "Deny", Action: "kms:PutKeyPolicy" }),
      policyOf({ ...everything, Resource: "arn:aws:s3:::bucket" }),
      policyOf({ ...everything, Action: undefined }),
    ];
    for (const Policy of locked) {
      expect(await refusalOf(kms.createKey({ Policy }))).toBe(
        "MalformedPolicyDocumentException: " +
          "The new key policy will not allow you to update the key policy in the future.",
      );
      const bypass = { Policy, BypassPolicyLockoutSafetyCheck: true };
      expect(await outcomeOf(kms.createKey(bypass))).toBe("ok");
    }
  });
});

describe("a policy is stored", () => {
  test("with its meaning, but in KMS's layout", async () => {
    const Policy = policyOf(everything);
    const { KeyId } = await lab.aKey({ Policy });
    const { Policy: kept = "" } = await kms.getKeyPolicy({ KeyId });
    expect(kept).not.toBe(Policy);
    expect(JSON.parse(kept)).toEqual(JSON.parse(Policy));
  });

  test("under its only name", async () => {
    const { KeyId } = await lab.aKey();
    expect((await kms.listKeyPolicies({ KeyId })).PolicyNames).toEqual(["default"]);
    const PolicyName = "other";
    expect(await outcomeOf(kms.getKeyPolicy({ KeyId, PolicyName }))).toBe("NotFoundException");
    const Policy = policyOf(everything);
    expect(await outcomeOf(kms.putKeyPolicy({ KeyId, Policy, PolicyName }))).toBe(
      "UnsupportedOperationException",
    );
  });
});

describe("an AWS managed key", () => {
  test("can be read, and no principal can manage it", async () => {
    const KeyId = lab.aws.kms.addAwsManagedKey("s3");
    const { KeyMetadata } = await kms.describeKey({ KeyId: "alias/aws/s3" });
    expect(KeyMetadata).toMatchObject({ KeyId, KeyManager: "AWS", KeyState: "Enabled" });
    expect((await kms.getKeyRotationStatus({ KeyId })).KeyRotationEnabled).toBe(true);
    const Policy = policyOf(everything);
    const attempts = [
      kms.disableKey({ KeyId }),
      kms.scheduleKeyDeletion({ KeyId }),
      kms.putKeyPolicy({ KeyId, Policy }),
      kms.tagResource({ KeyId, Tags: [{ TagKey: "a", TagValue: "b" }] }),
      kms.createAlias({ AliasName: "alias/mine", TargetKeyId: KeyId }),
      kms.disableKeyRotation({ KeyId }),
      kms.encrypt({ KeyId, Plaintext: bytes("m") }),
    ];
    for (const attempt of attempts) {
      expect(await outcomeOf(attempt)).toBe("AccessDeniedException");
    }
    const AliasName = "alias/aws/s3";
    expect(await outcomeOf(kms.deleteAlias({ AliasName }))).toBe("NotAuthorizedException");
  });
});
