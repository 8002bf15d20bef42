import type { KMS } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytes, openLab, outcomeOf, refusalOf, text, type Lab } from "./harness.ts";

let lab: Lab;
let kms: KMS;
let KeyId: string;
let otherKey: string;

beforeAll(async () => {
  lab = await openLab();
  ({ kms } = lab);
  ({ KeyId } = await lab.aKey());
  ({ KeyId: otherKey } = await lab.aKey());
});

afterAll(async () => {
  await lab.close();
});

describe("a symmetric ciphertext", () => {
  test("names its key, and detects a wrong one", async () => {
    const { CiphertextBlob, KeyId: usedArn } = await kms.encrypt({ KeyId, Plaintext: bytes("m") });
    const opened = await kms.decrypt({ CiphertextBlob });
    expect(opened.KeyId).toBe(usedArn);
    expect(text(opened.Plaintext)).toBe("m");
    expect(await refusalOf(kms.decrypt({ CiphertextBlob, KeyId: otherKey }))).toBe(
      "IncorrectKeyException: The key ID in the request does not identify a CMK " +
        "that can perform this operation.",
    );
    const signing = await lab.aKey({ KeyUsage: "SIGN_VERIFY", KeySpec: "ECC_NIST_P256" });
    expect(await outcomeOf(kms.decrypt({ CiphertextBlob, KeyId: signing.KeyId }))).toBe(
      "IncorrectKeyException",
    );
  });

  test("is bound to its encryption context, in any order of the pairs", async () => {
    const EncryptionContext = { purpose: "test", tenant: "a" };
    const sealed = await kms.encrypt({ KeyId, Plaintext: bytes("m"), EncryptionContext });
    const { CiphertextBlob } = sealed;
    const reordered = { tenant: "a", purpose: "test" };
    expect(
      text((await kms.decrypt({ CiphertextBlob, EncryptionContext: reordered })).Plaintext),
    ).toBe("m");
    const others = [{}, { purpose: "test" }, { purpose: "Test", tenant: "a" }];
    for (const EncryptionContext of others) {
      expect(await outcomeOf(kms.decrypt({ CiphertextBlob, EncryptionContext }))).toBe(
        "InvalidCiphertextException",
      );
    }
  });

  test("is not decrypted if it is garbage or was changed", async () => {
    const { CiphertextBlob: blob } = await kms.encrypt({ KeyId, Plaintext: bytes("m") });
    const tampered = Buffer.from(blob ?? []);
    tampered[tampered.length - 1] = (tampered.at(-1) ?? 0) ^ 1;
    for (const CiphertextBlob of [bytes("garbage"), tampered, tampered.subarray(0, 20)]) {
      expect(await refusalOf(kms.decrypt({ CiphertextBlob }))).toMatch(
        /^InvalidCiphertextException: /,
      );
    }
  });

  test("holds up to 4096 bytes", async () => {
    const longest = await kms.encrypt({ KeyId, Plaintext: bytes("x".repeat(4096)) });
    const { Plaintext } = await kms.decrypt({ CiphertextBlob: longest.CiphertextBlob });
    expect(Plaintext?.length).toBe(4096);
    const tooLong = kms.encrypt({ KeyId, Plaintext: bytes("x".repeat(4097)) });
    expect(await refusalOf(tooLong)).toBe(
      "ValidationException: 1 validation error detected: Value at 'plaintext' failed to satisfy " +
        "constraint: Member must have length less than or equal to 4096",
    );
  });

  test("is still decrypted after a rotation of its key's material", async () => {
    const { KeyId: rotating } = await lab.aKey();
    const { CiphertextBlob } = await kms.encrypt({ KeyId: rotating, Plaintext: bytes("old") });
    await kms.rotateKeyOnDemand({ KeyId: rotating });
    const opened = await kms.decrypt({ CiphertextBlob });
    expect(text(opened.Plaintext)).toBe("old");
    const { KeyMetadata } = await kms.describeKey({ KeyId: rotating });
    expect(opened.KeyMaterialId).not.toBe(KeyMetadata?.CurrentKeyMaterialId);
  });
});

describe("ReEncrypt", () => {
  test("moves a ciphertext to another key and another context", async () => {
    const { CiphertextBlob } = await kms.encrypt({
      KeyId,
      Plaintext: bytes("m"),
      EncryptionContext: { a: "1" },
    });
    const moved = await kms.reEncrypt({
      CiphertextBlob,
      SourceEncryptionContext: { a: "1" },
      DestinationKeyId: otherKey,
      DestinationEncryptionContext: { b: "2" },
    });
    expect([moved.SourceKeyId, moved.KeyId].map((arn) => arn?.split("/")[1])).toEqual([
      KeyId,
      otherKey,
    ]);
    const opened = await kms.decrypt({
      CiphertextBlob: moved.CiphertextBlob,
      EncryptionContext: { b: "2" },
    });
    expect(text(opened.Plaintext)).toBe("m");
  });

  test("rejects a source key that is not the ciphertext's", async () => {
    const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext: bytes("m") });
    const wrong = { CiphertextBlob, SourceKeyId: otherKey, DestinationKeyId: KeyId };
    expect(await outcomeOf(kms.reEncrypt(wrong))).toBe("IncorrectKeyException");
  });
});

describe("a dry run", () => {
  test("reports that the call would succeed, and records no use", async () => {
    const { KeyId: fresh } = await lab.aKey();
    const runs = [
      kms.encrypt({ KeyId: fresh, Plaintext: bytes("m"), DryRun: true }),
      kms.generateDataKey({ KeyId: fresh, KeySpec: "AES_256", DryRun: true }),
      kms.decrypt({ KeyId: fresh, DryRun: true, DryRunModifiers: ["IGNORE_CIPHERTEXT"] }),
    ];
    for (const run of runs) {
      expect(await refusalOf(run)).toBe(
        "DryRunOperationException: The request would have succeeded, but the DryRun option is set.",
      );
    }
    const key = lab.aws.kms.snapshot().keys.find((each) => each.keyId === fresh);
    expect(key).not.toHaveProperty("lastUse");
  });

  test("reports the error of the call", async () => {
    const { KeyId: disabled } = await lab.aKey();
    await kms.disableKey({ KeyId: disabled });
    const run = kms.encrypt({ KeyId: disabled, Plaintext: bytes("m"), DryRun: true });
    expect(await outcomeOf(run)).toBe("DisabledException");
  });
});

test("random bytes have the requested number", async () => {
  expect((await kms.generateRandom({ NumberOfBytes: 100 })).Plaintext?.length).toBe(100);
  expect(await refusalOf(kms.generateRandom({}))).toBe(
    "ValidationException: NumberOfBytes is required.",
  );
  expect(await refusalOf(kms.generateRandom({ NumberOfBytes: 1025 }))).toBe(
    "ValidationException: 1 validation error detected: Value '1025' at 'numberOfBytes' failed " +
      "to satisfy constraint: Member must have value less than or equal to 1024",
  );
});
