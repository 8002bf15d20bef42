/** Encryption, MACs, shared secrets and data keys with real cryptography, checked outside of KMS. */
import crypto from "node:crypto";
import type { KMS, KeySpec, KeyUsageType, MacAlgorithmSpec } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { realCryptography } from "../../embedded-aws/kms/cryptography.ts";
import {
  bytes,
  oneKeyOfEachKind,
  openLab,
  outcomeOf,
  refusalOf,
  text,
  type Lab,
} from "./harness.ts";

const message = bytes("a message");

let lab: Lab;
let kms: KMS;

beforeAll(async () => {
  lab = await openLab({ cryptography: realCryptography });
  ({ kms } = lab);
});

afterAll(async () => {
  await lab.close();
});

const aKeyOf = oneKeyOfEachKind(() => lab);

describe("RSA encryption", () => {
  const limits = { RSAES_OAEP_SHA_1: 214, RSAES_OAEP_SHA_256: 190 } as const;

  test.each(Object.entries(limits))("%s takes up to %i bytes", async (algorithm, maxBytes) => {
    const EncryptionAlgorithm = algorithm as keyof typeof limits;
    const KeyId = await aKeyOf("RSA_2048", "ENCRYPT_DECRYPT");
    const Plaintext = bytes("x".repeat(maxBytes));
    const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext, EncryptionAlgorithm });
    const opened = await kms.decrypt({ KeyId, CiphertextBlob, EncryptionAlgorithm });
    expect(text(opened.Plaintext)).toBe("x".repeat(maxBytes));
    const long = { KeyId, Plaintext: bytes("x".repeat(maxBytes + 1)), EncryptionAlgorithm };
    expect(await refusalOf(kms.encrypt(long))).toBe(
      `ValidationException: Algorithm ${algorithm} and key spec RSA_2048 cannot encrypt ` +
        `data larger than ${maxBytes} bytes.`,
    );
  });

  test("decrypts a ciphertext made outside with the public key, given key and algorithm", async () => {
    const KeyId = await aKeyOf("RSA_2048", "ENCRYPT_DECRYPT");
    const { PublicKey } = await kms.getPublicKey({ KeyId });
    const key = Buffer.from(PublicKey ?? []);
    const CiphertextBlob = crypto.publicEncrypt(
      { key: crypto.createPublicKey({ key, type: "spki", format: "der" }), oaepHash: "sha256" },
      message,
    );
    const EncryptionAlgorithm = "RSAES_OAEP_SHA_256";
    const opened = await kms.decrypt({ KeyId, CiphertextBlob, EncryptionAlgorithm });
    expect(text(opened.Plaintext)).toBe("a message");
    expect(await outcomeOf(kms.decrypt({ CiphertextBlob, EncryptionAlgorithm }))).toBe(
      "ValidationException",
    );
    const wrong = { KeyId, CiphertextBlob, EncryptionAlgorithm: "RSAES_OAEP_SHA_1" } as const;
    expect(await outcomeOf(kms.decrypt(wrong))).toBe("InvalidCiphertextException");
  });
});

describe("MACs", () => {
  test.each(["224", "256", "384", "512"])("of %i bits are HMACs", async (bits) => {
    const KeyId = await aKeyOf(`HMAC_${bits}` as KeySpec, "GENERATE_VERIFY_MAC");
    const MacAlgorithm = `HMAC_SHA_${bits}` as MacAlgorithmSpec;
    const request = { KeyId, Message: message, MacAlgorithm };
    const { Mac } = await kms.generateMac(request);
    expect(Mac?.length).toBe(Number(bits) / 8);
    expect((await kms.verifyMac({ ...request, Mac })).MacValid).toBe(true);
    const forged = { ...request, Message: bytes("another"), Mac };
    expect(await outcomeOf(kms.verifyMac(forged))).toBe("KMSInvalidMacException");
    const other = bits === "256" ? "HMAC_SHA_512" : "HMAC_SHA_256";
    expect(await refusalOf(kms.generateMac({ ...request, MacAlgorithm: other }))).toBe(
      `InvalidKeyUsageException: Algorithm ${other} is incompatible with key spec HMAC_${bits}.`,
    );
  });
});

describe("shared secrets", () => {
  test.each(["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"] as const)(
    "both sides of %s derive the same secret",
    async (KeySpec) => {
      const [alice, bob] = await Promise.all(
        [1, 2].map(() => lab.aKey({ KeySpec, KeyUsage: "KEY_AGREEMENT" })),
      );
      const secretOf = async (own: string | undefined, others: string | undefined) => {
        const { PublicKey } = await kms.getPublicKey({ KeyId: others });
        const KeyAgreementAlgorithm = "ECDH";
        const answer = await kms.deriveSharedSecret({
          KeyId: own,
          KeyAgreementAlgorithm,
          PublicKey,
        });
        return Buffer.from(answer.SharedSecret ?? []).toString("hex");
      };
      const secret = await secretOf(alice?.KeyId, bob?.KeyId);
      expect(secret).toBe(await secretOf(bob?.KeyId, alice?.KeyId));
      expect(secret).not.toBe("");
    },
  );

  test("need a public key of the same curve", async () => {
    const KeyId = await aKeyOf("ECC_NIST_P256", "KEY_AGREEMENT");
    const { PublicKey } = await kms.getPublicKey({
      KeyId: await aKeyOf("ECC_NIST_P384", "KEY_AGREEMENT"),
    });
    const derive = { KeyId, KeyAgreementAlgorithm: "ECDH" } as const;
    expect(await outcomeOf(kms.deriveSharedSecret({ ...derive, PublicKey }))).toBe(
      "ValidationException",
    );
    const garbage = { ...derive, PublicKey: bytes("garbage") };
    expect(await outcomeOf(kms.deriveSharedSecret(garbage))).toBe("ValidationException");
  });
});

describe("data keys", () => {
  test.each([
    [{ KeySpec: "AES_256" }, 32],
    [{ KeySpec: "AES_128" }, 16],
    [{ NumberOfBytes: 64 }, 64],
  ] as const)("%j is %i bytes long, and its ciphertext opens to it", async (size, length) => {
    const KeyId = await aKeyOf("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    const { Plaintext, CiphertextBlob } = await kms.generateDataKey({ KeyId, ...size });
    expect(Plaintext?.length).toBe(length);
    expect((await kms.decrypt({ CiphertextBlob })).Plaintext).toEqual(Plaintext);
    const without = await kms.generateDataKeyWithoutPlaintext({ KeyId, ...size });
    expect(without).not.toHaveProperty("Plaintext");
    expect((await kms.decrypt({ CiphertextBlob: without.CiphertextBlob })).Plaintext?.length).toBe(
      length,
    );
  });

  test("require exactly one of the two length parameters", async () => {
    const KeyId = await aKeyOf("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    for (const size of [{}, { KeySpec: "AES_256", NumberOfBytes: 32 } as const]) {
      expect(await outcomeOf(kms.generateDataKey({ KeyId, ...size }))).toBe("ValidationException");
    }
  });

  test("come in pairs, whose decrypted private key matches the public key", async () => {
    const KeyId = await aKeyOf("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    const pair = await kms.generateDataKeyPair({ KeyId, KeyPairSpec: "ECC_NIST_P256" });
    const opened = await kms.decrypt({ CiphertextBlob: pair.PrivateKeyCiphertextBlob });
    expect(opened.Plaintext).toEqual(pair.PrivateKeyPlaintext);
    const key = Buffer.from(opened.Plaintext ?? []);
    const privateKey = crypto.createPrivateKey({ key, type: "pkcs8", format: "der" });
    const publicKey = crypto.createPublicKey(privateKey).export({ type: "spki", format: "der" });
    expect(publicKey.equals(pair.PublicKey ?? bytes(""))).toBe(true);
  });
});

describe("a key is only used for its usage", () => {
  const foreign: [KeySpec, KeyUsageType, string, (KeyId: string) => Promise<unknown>][] = [
    [
      ...(["HMAC_256", "GENERATE_VERIFY_MAC", "Sign"] as const),
      (KeyId) => kms.sign({ KeyId, Message: message, SigningAlgorithm: "ECDSA_SHA_256" }),
    ],
    [
      ...(["SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "GenerateMac"] as const),
      (KeyId) => kms.generateMac({ KeyId, Message: message, MacAlgorithm: "HMAC_SHA_256" }),
    ],
    [
      ...(["ECC_NIST_P256", "SIGN_VERIFY", "Encrypt"] as const),
      (KeyId) => kms.encrypt({ KeyId, Plaintext: message }),
    ],
  ];

  test.each(foreign)("%s for %s is not for %s", async (spec, usage, operation, call) => {
    const KeyId = await aKeyOf(spec, usage);
    expect(await refusalOf(call(KeyId))).toMatch(
      new RegExp(
        `^InvalidKeyUsageException: .* is ${usage} which is not valid for ${operation}\\.$`,
      ),
    );
  });

  test("symmetric keys have no public key and do not encrypt with RSA", async () => {
    const KeyId = await aKeyOf("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    expect(await outcomeOf(kms.getPublicKey({ KeyId }))).toBe("UnsupportedOperationException");
    const rsaRequest = { KeyId, Plaintext: message, EncryptionAlgorithm: "RSAES_OAEP_SHA_256" };
    expect(await outcomeOf(kms.encrypt(rsaRequest as never))).toBe("InvalidKeyUsageException");
  });
});
