/** What AWS is recorded to answer where its documentation is silent, or says something else. Each with its source. */
import { KMS } from "@aws-sdk/client-kms";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEmbeddedAws } from "../../embedded-aws/embedded-aws.ts";
import { arnOf, bareTwin, bytes, outcomeOf, startMs, type BareTwin } from "./harness.ts";

const user = "alice";

function grantTo({ call }: BareTwin, KeyId: string, more: object = {}) {
  const input = { KeyId, GranteePrincipal: arnOf(user), Operations: ["Encrypt"], ...more };
  return call<{ GrantToken: string; GrantId: string }>("CreateGrant", input);
}

async function opened(options: { region?: string; seed?: number } = {}) {
  const aws = await startEmbeddedAws({ quotas: "off", ...options });
  onTestFinished(() => aws.close());
  const credentials = { accessKeyId: "tester", secretAccessKey: "any" };
  const region = options.region ?? "us-east-1";
  const kms = new KMS({ endpoint: aws.endpoint, region, credentials, maxAttempts: 1 });
  onTestFinished(() => kms.destroy());
  return { aws, kms };
}

async function post(endpoint: string, operation: string, input: object) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `TrentService.${operation}`,
      authorization:
        "AWS4-HMAC-SHA256 Credential=tester/20261101/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0",
    },
    body: JSON.stringify(input),
  });
  return { status: response.status, body: await response.text() };
}

describe("GetKeyRotationStatus", () => {
  // floci-io/floci#618, recorded in April 2026; it was an error before (floci-io/floci#586).
  test.each([
    { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" },
    { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" },
    { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
    { Origin: "EXTERNAL" },
  ] as const)("is false for keys that never rotate: %o", (input) => {
    const { twin, call, keyId } = bareTwin();
    const KeyId = keyId(input);
    // Without its material, an imported key answers no such question.
    if ("Origin" in input) twin.forceState(KeyId, "Enabled");
    expect(call("GetKeyRotationStatus", { KeyId })).toMatchObject({ KeyRotationEnabled: false });
  });
});

describe("an error without a message", () => {
  // LocalStack's AWS-validated snapshots: test_sign_verify, test_invalid_verify_mac, test_derive_shared_secret,
  // test_encrypt_decrypt_encryption_context, test_rotate_key_on_demand_raises_error_given_non_symmetric_key.
  const signing = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" } as const;
  const mac = { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" } as const;
  const agreement = { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" } as const;
  const blob = Buffer.from("wrong").toString("base64");
  const signed = { Message: blob, SigningAlgorithm: "ECDSA_SHA_256", Signature: blob };
  const maced = { Message: blob, MacAlgorithm: "HMAC_SHA_256", Mac: blob };
  const agreed = { KeyAgreementAlgorithm: "ECDH", PublicKey: blob };

  test.each([
    ["Verify", signing, signed, "KMSInvalidSignatureException"],
    ["VerifyMac", mac, maced, "KMSInvalidMacException"],
    ["Decrypt", {}, { CiphertextBlob: blob }, "InvalidCiphertextException"],
    ["DeriveSharedSecret", agreement, agreed, "ValidationException"],
    ["RotateKeyOnDemand", signing, {}, "UnsupportedOperationException"],
  ] as const)("is that of %s", async (operation, key, input, code) => {
    const { aws, kms } = await opened();
    const { KeyMetadata } = await kms.createKey(key);
    const { status, body } = await post(aws.endpoint, operation, {
      KeyId: KeyMetadata?.KeyId,
      ...input,
    });
    expect([status, JSON.parse(body)]).toEqual([400, { __type: code }]);
  });
});

describe("a grant", () => {
  // "EncryptionContextEquals or EncryptionContextSubset": one of them (GrantConstraints in the API reference).
  test("has one constraint on the encryption context, and may have a source too", async () => {
    const bare = bareTwin();
    const KeyId = bare.keyId();
    const pairs = { tenant: "a" };
    const given = (Constraints: object) => outcomeOf(() => grantTo(bare, KeyId, { Constraints }));
    const both = { EncryptionContextEquals: pairs, EncryptionContextSubset: pairs };
    expect(await given(both)).toBe("ValidationException");
    const SourceArn = "arn:aws:s3:::one-bucket";
    expect(await given({ EncryptionContextEquals: pairs, SourceArn })).toBe("ok");
  });

  // LocalStack's AWS-validated test_retire_grant_with_grant_token and test_retire_grant_with_grant_id_and_key_id:
  // the caller is the grantee of a grant for Decrypt and Encrypt.
  test("is retired by its grantee, by token and by ids, although it does not include RetireGrant", () => {
    const bare = bareTwin();
    const KeyId = bare.keyId();
    const { GrantToken } = grantTo(bare, KeyId);
    bare.call("RetireGrant", { GrantToken }, user);
    const { GrantId } = grantTo(bare, KeyId);
    bare.call("RetireGrant", { KeyId, GrantId }, user);
    expect(bare.call("ListGrants", { KeyId })).toMatchObject({ Grants: [] });
  });
});

describe("the last use of a key", () => {
  // Times of KMS are in milliseconds (KeyCreationDate: 1773253425.56 in the guide's example of GetKeyLastUsage); that of
  // the last use in the same example is 1773253497.0. A world has either.
  test.each([
    [1, 1234],
    [1000, 1000],
  ] as const)("is shown with a precision of %i ms", (lastUsePrecisionMs, shownMs) => {
    const { call, clock, keyId } = bareTwin({ lastUsePrecisionMs, lastUsageLagMs: 0 });
    const KeyId = keyId();
    clock.advance(1234);
    call("Encrypt", { KeyId, Plaintext: bytes("m") });
    const Timestamp = new Date(startMs + shownMs);
    expect(call("GetKeyLastUsage", { KeyId })).toMatchObject({ KeyLastUsage: { Timestamp } });
  });
});

test("ListKeyRotations names the key by its ARN, as RotateKeyOnDemand does", () => {
  const { twin, call, keyId } = bareTwin();
  const KeyId = keyId();
  call("RotateKeyOnDemand", { KeyId });
  const { Rotations } = call<{ Rotations: object[] }>("ListKeyRotations", { KeyId });
  expect(Rotations).toMatchObject([{ KeyId: twin.world.keys.get(KeyId)?.arn }]);
});

describe("the aliases of AWS services", () => {
  // "The response might also include aliases that have no TargetKeyId field" (ListAliases in the API reference).
  test("are listed without a key until KMS makes one, which DescribeKey causes", async () => {
    const { kms } = await opened();
    const listed = async (): Promise<Record<string, unknown>> => {
      const { Aliases = [] } = await kms.listAliases();
      return Object.fromEntries(
        Aliases.map(({ AliasName = "", TargetKeyId }) => [AliasName, TargetKeyId]),
      );
    };
    expect(await listed()).toEqual({
      "alias/aws/acm": undefined,
      "alias/aws/dynamodb": undefined,
      "alias/aws/ebs": undefined,
      "alias/aws/rds": undefined,
      "alias/aws/redshift": undefined,
      "alias/aws/s3": undefined,
    });
    const { KeyMetadata } = await kms.describeKey({ KeyId: "alias/aws/ebs" });
    expect(KeyMetadata).toMatchObject({ KeyManager: "AWS", KeyState: "Enabled" });
    expect(await listed()).toMatchObject({ "alias/aws/ebs": KeyMetadata?.KeyId });
  });
});

test("two Regions of one seed have no key id in common", async () => {
  const ids = new Set<string | undefined>();
  for (const region of ["us-east-1", "eu-west-1", "us-gov-west-1"]) {
    const { kms } = await opened({ region, seed: 7 });
    for (let count = 0; count < 5; count++) {
      ids.add((await kms.createKey({})).KeyMetadata?.KeyId);
    }
  }
  expect(ids.size).toBe(15);
});

// The service's model: these operations have no output shape (botocore's kms/2014-11-01/service-2.json).
test("an operation without output answers with an empty body", async () => {
  const { aws, kms } = await opened();
  const KeyId = (await kms.createKey({})).KeyMetadata?.KeyId;
  const tags = { Tags: [{ TagKey: "a", TagValue: "b" }] };
  for (const [operation, input] of Object.entries({
    CreateAlias: { AliasName: "alias/one", TargetKeyId: KeyId },
    UpdateAlias: { AliasName: "alias/one", TargetKeyId: KeyId },
    DeleteAlias: { AliasName: "alias/one" },
    TagResource: { KeyId, ...tags },
    UntagResource: { KeyId, TagKeys: ["a"] },
    UpdateKeyDescription: { KeyId, Description: "one" },
    EnableKeyRotation: { KeyId },
    DisableKeyRotation: { KeyId },
    DisableKey: { KeyId },
    EnableKey: { KeyId },
  })) {
    const answer = await post(aws.endpoint, operation, input);
    expect([operation, answer]).toEqual([operation, { status: 200, body: "" }]);
  }
  // The SDK reads such an answer.
  expect(await outcomeOf(kms.disableKey({ KeyId }))).toBe("ok");
});
