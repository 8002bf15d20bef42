/** Signatures with real cryptography, each checked outside of KMS by node:crypto. */
import crypto from "node:crypto";
import type { KMS, KeySpec, SigningAlgorithmSpec } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { prehashSign } from "../../embedded-aws/kms/ed25519-prehash.ts";
import { realCryptography } from "../../embedded-aws/kms/cryptography.ts";
import { bytes, oneKeyOfEachKind, openLab, outcomeOf, refusalOf, type Lab } from "./harness.ts";

const message = bytes("a message");
const { constants } = crypto;

type Kind = { KeySpec: KeySpec; SigningAlgorithm: SigningAlgorithmSpec };

const ecc = [
  ["ECC_NIST_P256", "ECDSA_SHA_256"],
  ["ECC_NIST_P384", "ECDSA_SHA_384"],
  ["ECC_NIST_P521", "ECDSA_SHA_512"],
  ["ECC_SECG_P256K1", "ECDSA_SHA_256"],
].map(([KeySpec, SigningAlgorithm]) => ({ KeySpec, SigningAlgorithm }) as Kind);

const rsa = ["PSS", "PKCS1_V1_5"].flatMap((padding) =>
  [256, 384, 512].map((bits): Kind => {
    const SigningAlgorithm = `RSASSA_${padding}_SHA_${bits}` as SigningAlgorithmSpec;
    return { KeySpec: "RSA_2048", SigningAlgorithm };
  }),
);

const unhashed = [
  ["ECC_NIST_EDWARDS25519", "ED25519_SHA_512"],
  ["ML_DSA_44", "ML_DSA_SHAKE_256"],
  ["ML_DSA_65", "ML_DSA_SHAKE_256"],
  ["ML_DSA_87", "ML_DSA_SHAKE_256"],
].map(([KeySpec, SigningAlgorithm]) => ({ KeySpec, SigningAlgorithm }) as Kind);

function hashOf(algorithm: string): string {
  return `sha${algorithm.slice(-3)}`;
}

function verifiesOutside(publicKey: Uint8Array, kind: Kind, signature: Uint8Array): boolean {
  const key = crypto.createPublicKey({ key: Buffer.from(publicKey), type: "spki", format: "der" });
  const { SigningAlgorithm: algorithm } = kind;
  if (unhashed.some((each) => each.KeySpec === kind.KeySpec)) {
    return crypto.verify(null, message, key, signature);
  }
  const pss = algorithm.startsWith("RSASSA_PSS")
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  return crypto.verify(hashOf(algorithm), message, { key, ...pss }, signature);
}

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

describe.each([...ecc, ...rsa, ...unhashed])("$SigningAlgorithm with $KeySpec", (kind) => {
  const { KeySpec, SigningAlgorithm } = kind;

  test("makes a signature that KMS and node:crypto verify", async () => {
    const KeyId = await aKeyOf(KeySpec, "SIGN_VERIFY");
    const signing = { KeyId, Message: message, SigningAlgorithm };
    const { Signature } = await kms.sign(signing);
    const { PublicKey, SigningAlgorithms } = await kms.getPublicKey({ KeyId });
    expect(SigningAlgorithms).toContain(SigningAlgorithm);
    expect(verifiesOutside(PublicKey ?? bytes(""), kind, Signature ?? bytes(""))).toBe(true);
    expect((await kms.verify({ ...signing, Signature })).SignatureValid).toBe(true);
  });

  test("rejects another message, another signature and another key's", async () => {
    const KeyId = await aKeyOf(KeySpec, "SIGN_VERIFY");
    const { KeyId: otherKey } = await lab.aKey({ KeySpec, KeyUsage: "SIGN_VERIFY" });
    const signing = { KeyId, Message: message, SigningAlgorithm };
    const { Signature } = await kms.sign(signing);
    const { Signature: foreign } = await kms.sign({ ...signing, KeyId: otherKey });
    const forgeries = [
      { ...signing, Message: bytes("another"), Signature },
      { ...signing, Signature: bytes("garbage") },
      { ...signing, Signature: foreign },
    ];
    for (const forgery of forgeries) {
      expect(await refusalOf(kms.verify(forgery))).toMatch(/^KMSInvalidSignatureException: /);
    }
  });
});

describe.each([...ecc, ...rsa])("a digest with $SigningAlgorithm and $KeySpec", (kind) => {
  const { KeySpec, SigningAlgorithm } = kind;

  test("has the same signature as its message", async () => {
    const KeyId = await aKeyOf(KeySpec, "SIGN_VERIFY");
    const digest = crypto.hash(hashOf(SigningAlgorithm), message, "buffer");
    const raw = { KeyId, Message: message, SigningAlgorithm };
    const digested = { KeyId, Message: digest, MessageType: "DIGEST", SigningAlgorithm } as const;
    for (const [signs, verifies] of [
      [raw, digested],
      [digested, raw],
    ] as const) {
      const { Signature } = await kms.sign(signs);
      expect((await kms.verify({ ...verifies, Signature })).SignatureValid).toBe(true);
    }
    const { Signature } = await kms.sign(raw);
    digest[0] = (digest[0] ?? 0) ^ 1;
    expect(await outcomeOf(kms.verify({ ...digested, Signature }))).toBe(
      "KMSInvalidSignatureException",
    );
  });

  test("must have the length of the hash", async () => {
    const KeyId = await aKeyOf(KeySpec, "SIGN_VERIFY");
    const short = { KeyId, Message: bytes("short"), MessageType: "DIGEST" as const };
    expect(await refusalOf(kms.sign({ ...short, SigningAlgorithm }))).toBe(
      `ValidationException: Digest is invalid length for algorithm ${SigningAlgorithm}.`,
    );
  });
});

describe("message types that an algorithm does not accept", () => {
  test.each([
    ["ML_DSA_44", "ML_DSA_SHAKE_256", "DIGEST", "ValidationException"],
    ["ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "DIGEST", "ValidationException"],
    ["ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512", "RAW", "ValidationException"],
    ["ECC_NIST_P256", "ECDSA_SHA_256", "EXTERNAL_MU", "ValidationException"],
    ["ECC_NIST_P256", "ECDSA_SHA_384", "RAW", "InvalidKeyUsageException"],
    ["RSA_2048", "ECDSA_SHA_256", "RAW", "InvalidKeyUsageException"],
  ] as const)("%s, %s, %s: %s", async (spec, SigningAlgorithm, MessageType, expected) => {
    const KeyId = await aKeyOf(spec, "SIGN_VERIFY");
    const signing = { KeyId, Message: message, SigningAlgorithm, MessageType };
    expect(await outcomeOf(kms.sign(signing))).toBe(expected);
  });
});

describe("Ed25519ph", () => {
  test("makes the signature of RFC 8032, section 7.3", () => {
    const privateKey = crypto.createPrivateKey({
      key: {
        ...{ kty: "OKP", crv: "Ed25519" },
        d: Buffer.from(
          "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
          "hex",
        ).toString("base64url"),
        x: Buffer.from(
          "ec172b93ad5e563f4932c70e1245034c35467ef2efd4d64ebf819683467e2bf2",
          "hex",
        ).toString("base64url"),
      },
      format: "jwk",
    });
    const signature = prehashSign(privateKey, bytes("abc"));
    expect(Buffer.from(signature).toString("hex")).toBe(
      "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41" +
        "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
    );
  });

  test("verifies its own signature of a digest, and no other key's", async () => {
    const KeyId = await aKeyOf("ECC_NIST_EDWARDS25519", "SIGN_VERIFY");
    const Message = crypto.hash("sha512", message, "buffer");
    const SigningAlgorithm = "ED25519_PH_SHA_512";
    const signing = { KeyId, Message, MessageType: "DIGEST" as const };
    const { Signature } = await kms.sign({ ...signing, SigningAlgorithm });
    const verify = { ...signing, SigningAlgorithm, Signature } as const;
    expect((await kms.verify(verify)).SignatureValid).toBe(true);
    const other = { ...verify, Message: crypto.hash("sha512", "another", "buffer") };
    expect(await outcomeOf(kms.verify(other))).toBe("KMSInvalidSignatureException");
  });
});
