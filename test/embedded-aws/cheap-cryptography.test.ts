import crypto from "node:crypto";
import { describe, expect, test } from "vitest";
import { cheapCryptography } from "../../embedded-aws/kms/cheap-cryptography.ts";
import { realCryptography, type Cryptography } from "../../embedded-aws/kms/cryptography.ts";
import { bytes, text } from "./harness.ts";

const message = bytes("a message");

describe.each([
  ["real", realCryptography],
  ["cheap", cheapCryptography],
] as [string, Cryptography][])("%s cryptography", (_, cryptography) => {
  const context = bytes("context");
  const a = cryptography.generate("SYMMETRIC_DEFAULT", "a");
  const b = cryptography.generate("SYMMETRIC_DEFAULT", "b");

  test("decrypts its ciphertext only with the same key and context", () => {
    const sealed = cryptography.seal(a, message, context);
    expect(text(cryptography.open(a, sealed, context))).toBe("a message");
    expect(cryptography.open(b, sealed, context)).toBeUndefined();
    expect(cryptography.open(a, sealed, bytes("other"))).toBeUndefined();
    const flipped = Buffer.from(sealed);
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    expect(cryptography.open(a, flipped, context)).toBeUndefined();
    expect(cryptography.open(a, bytes("short"), context)).toBeUndefined();
  });

  test("detects another key's signature", () => {
    const one = cryptography.generate("ECC_NIST_P256", "one");
    const other = cryptography.generate("ECC_NIST_P256", "other");
    const signing = { algorithm: "ECDSA_SHA_256", messageType: "RAW", message } as const;
    const signature = cryptography.sign(one, signing);
    expect(cryptography.verify(one, signing, signature)).toBe(true);
    expect(cryptography.verify(other, signing, signature)).toBe(false);
    const digest = { ...signing, messageType: "DIGEST" as const };
    const hashed = { ...digest, message: crypto.hash("sha256", message, "buffer") };
    expect(cryptography.verify(one, hashed, signature)).toBe(true);
  });

  test("derives one secret per pair of keys, on one curve", () => {
    const one = cryptography.generate("ECC_NIST_P256", "one");
    const other = cryptography.generate("ECC_NIST_P256", "other");
    const far = cryptography.generate("ECC_NIST_P384", "far");
    const there = cryptography.agree(one, cryptography.publicKey(other));
    const back = cryptography.agree(other, cryptography.publicKey(one));
    expect(there).toEqual(back);
    expect(cryptography.agree(one, cryptography.publicKey(far))).toBeUndefined();
  });
});
