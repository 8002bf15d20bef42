import { describe, expect, test } from "vitest";
import { account, bytes, everything, outcomeOf, policyOf } from "./harness.ts";
import { aTrail, hmac, keyArnOf, macOf, message, rsa, signatureOf, signing } from "./refusals.ts";

const oaep = { EncryptionAlgorithm: "RSAES_OAEP_SHA_256" };
const resourcesOf = (id: string) => [
  { accountId: account, type: "AWS::KMS::Key", ARN: keyArnOf(id) },
];

describe("a Decrypt by an alias that moved away from the key of the ciphertext", () => {
  test("is an IncorrectKeyException: the record has the alias, and no resources", async () => {
    const trail = aTrail();
    const EncryptionContext = { tenant: "Miller" };
    const CiphertextBlob = trail.cipherUnder(trail.behind("alias/orders"));
    trail.behind("alias/orders");
    const input = { KeyId: "alias/orders", CiphertextBlob, EncryptionContext };
    expect(await outcomeOf(() => trail.call("Decrypt", input))).toBe("IncorrectKeyException");
    expect(trail.refused.map(({ detail }) => detail)).toMatchObject([
      {
        eventName: "Decrypt",
        errorCode: "IncorrectKeyException",
        errorMessage:
          "The key ID in the request does not identify a CMK that can perform this operation.",
        requestParameters: {
          keyId: "alias/orders",
          encryptionAlgorithm: "SYMMETRIC_DEFAULT",
          encryptionContext: EncryptionContext,
        },
        readOnly: true,
      },
    ]);
    expect(trail.refused[0]?.detail).not.toHaveProperty("resources");
  });

  test("likewise as the source of ReEncrypt", async () => {
    const trail = aTrail();
    const CiphertextBlob = trail.cipherUnder(trail.behind("alias/orders"));
    const DestinationKeyId = trail.behind("alias/orders");
    const input = { CiphertextBlob, SourceKeyId: "alias/orders", DestinationKeyId };
    expect(await outcomeOf(() => trail.call("ReEncrypt", input))).toBe("IncorrectKeyException");
    const [event] = trail.refused;
    expect(event?.detail.requestParameters).toEqual({
      sourceKeyId: "alias/orders",
      destinationKeyId: DestinationKeyId,
    });
    expect(event?.detail).not.toHaveProperty("resources");
  });

  test("is an InvalidCiphertextException for RSA, with the key that the alias points at", async () => {
    const trail = aTrail();
    const KeyId = "alias/letters";
    trail.behind(KeyId, rsa);
    const encrypt = { KeyId, Plaintext: message, ...oaep };
    const { CiphertextBlob } = trail.call<{ CiphertextBlob: Uint8Array }>("Encrypt", encrypt);
    const second = trail.behind(KeyId, rsa);
    const decrypt = { KeyId, CiphertextBlob, ...oaep };
    expect(await outcomeOf(() => trail.call("Decrypt", decrypt))).toBe(
      "InvalidCiphertextException",
    );
    expect(trail.refused.map(({ detail }) => detail)).toMatchObject([
      {
        errorCode: "InvalidCiphertextException",
        requestParameters: { keyId: KeyId, encryptionAlgorithm: "RSAES_OAEP_SHA_256" },
        resources: resourcesOf(second),
      },
    ]);
    expect(trail.refused[0]?.detail).not.toHaveProperty("errorMessage");
  });
});

describe("an InvalidCiphertextException", () => {
  test("of another encryption context names the key of the ciphertext", async () => {
    const trail = aTrail();
    const [from, DestinationKeyId] = [trail.keyId(), trail.keyId()];
    const CiphertextBlob = trail.cipherUnder(from);
    const context = { tenant: "Miller" };
    const decrypt = { CiphertextBlob, EncryptionContext: context };
    await outcomeOf(() => trail.call("Decrypt", decrypt));
    const reEncrypt = { CiphertextBlob, SourceEncryptionContext: context, DestinationKeyId };
    await outcomeOf(() => trail.call("ReEncrypt", reEncrypt));
    const records = trail.refused.map(({ detail }) => [detail.eventName, detail.resources]);
    expect(records).toEqual([
      ["Decrypt", resourcesOf(from)],
      ["ReEncrypt", resourcesOf(from)],
    ]);
  });

  test("of bytes that are no ciphertext names no key", async () => {
    const trail = aTrail();
    await outcomeOf(() => trail.call("Decrypt", { CiphertextBlob: message }));
    expect(trail.refused.map(({ detail }) => detail.errorCode)).toEqual([
      "InvalidCiphertextException",
    ]);
    expect(trail.refused[0]?.detail).not.toHaveProperty("resources");
  });
});

describe("a verification by an alias that moved", () => {
  test.each([
    ["Verify", "Sign", signing, signatureOf, "KMSInvalidSignatureException"],
    ["VerifyMac", "GenerateMac", hmac, macOf, "KMSInvalidMacException"],
  ] as const)(
    "%s names the new key and the alias",
    async (verify, make, shape, input, errorCode) => {
      const trail = aTrail();
      const KeyId = "alias/receipts";
      trail.behind(KeyId, shape);
      const { Signature, Mac } = trail.call<{ Signature?: Uint8Array; Mac?: Uint8Array }>(make, {
        KeyId,
        ...input,
      });
      const second = trail.behind(KeyId, shape);
      const call = () => trail.call(verify, { KeyId, ...input, Signature, Mac });
      expect(await outcomeOf(call)).toBe(errorCode);
      expect(trail.refused.map(({ detail }) => detail)).toMatchObject([
        { eventName: verify, errorCode, requestParameters: { keyId: KeyId } },
      ]);
      expect(trail.refused[0]?.detail.resources).toEqual(resourcesOf(second));
    },
  );
});

test("a dry run that is refused is marked as one", async () => {
  const trail = aTrail();
  const CiphertextBlob = trail.cipherUnder(trail.keyId());
  for (const DryRun of [true, false]) {
    const input = { KeyId: trail.keyId(), CiphertextBlob, DryRun };
    expect(await outcomeOf(() => trail.call("Decrypt", input))).toBe("IncorrectKeyException");
  }
  const marks = trail.refused.map(({ detail }) => detail.requestParameters?.["dryRun"]);
  expect(marks).toEqual([true, false]);
});

test("a caller of another account whom only cryptography refuses is in the log of the key's account", async () => {
  const trail = aTrail();
  const partner = { ...everything, Principal: { AWS: "999988887777" }, Action: "kms:VerifyMac" };
  const KeyId = trail.keyId({ ...hmac, Policy: policyOf(everything, partner) });
  const principalArn = "arn:aws:iam::999988887777:role/Partner";
  const input = { KeyId: keyArnOf(KeyId), ...macOf, Mac: bytes("another") };
  await outcomeOf(() => trail.twin.call("VerifyMac", input, { principalArn }));
  expect(trail.refused).toMatchObject([
    {
      account,
      detail: {
        errorCode: "KMSInvalidMacException",
        userIdentity: { accountId: "999988887777" },
        recipientAccountId: account,
      },
    },
  ]);
});
