/**
 * The twin's cryptography interface, and its implementation with node:crypto. cheap-cryptography.ts
 * has the implementation for simulations with millions of calls.
 */
import crypto, { type KeyObject } from "node:crypto";
import type { SimRandom } from "../random.ts";
import { ecdsaSign, ecdsaVerify } from "./ecdsa-digest.ts";
import { prehashSign, prehashVerify } from "./ed25519-prehash.ts";
import type { KeySpec } from "./key-specs.ts";
import { pssSign, pssVerify, pkcs1DigestInfo } from "./rsa-digest.ts";

/** Key material, opaque except to the implementation that made it. */
export type Material = { readonly kind: string };

export type Signing = {
  algorithm: string;
  messageType: "RAW" | "DIGEST" | "EXTERNAL_MU";
  message: Uint8Array;
};

export type Cryptography = {
  bytes(count: number, random: SimRandom): Uint8Array;
  /** `id` names the material, for an implementation that derives it instead of drawing at random. */
  generate(spec: KeySpec, id: string): Material;
  /** DER SubjectPublicKeyInfo. */
  publicKey(material: Material): Uint8Array;
  /** DER PKCS #8. */
  privateKey(material: Material): Uint8Array;
  seal(material: Material, plaintext: Uint8Array, bound: Uint8Array): Uint8Array;
  /** Undefined if the bytes belong to another material or another context. */
  open(material: Material, sealed: Uint8Array, bound: Uint8Array): Uint8Array | undefined;
  encrypt(material: Material, algorithm: string, plaintext: Uint8Array): Uint8Array;
  decrypt(material: Material, algorithm: string, ciphertext: Uint8Array): Uint8Array | undefined;
  sign(material: Material, signing: Signing): Uint8Array;
  verify(material: Material, signing: Signing, signature: Uint8Array): boolean;
  mac(material: Material, algorithm: string, message: Uint8Array): Uint8Array;
  /** Undefined if the other public key is not on the same curve. */
  agree(material: Material, publicKey: Uint8Array): Uint8Array | undefined;
  encapsulate(
    material: Material,
    random: SimRandom,
  ): { secret: Uint8Array; encapsulated: Uint8Array };
  /** Undefined where the bytes are not of the length that the key spec has. */
  decapsulate(material: Material, encapsulated: Uint8Array): Uint8Array | undefined;
};

type RealMaterial = Material &
  (
    | { kind: "secret"; secret: Buffer }
    | { kind: "pair"; spec: KeySpec; publicKey: KeyObject; privateKey: KeyObject }
  );
type Pair = Extract<RealMaterial, { kind: "pair" }>;

const rsaBits: Partial<Record<KeySpec, number>> = {
  RSA_2048: 2048,
  RSA_3072: 3072,
  RSA_4096: 4096,
};

const curves: Partial<Record<KeySpec, string>> = {
  ECC_NIST_P256: "prime256v1",
  ECC_NIST_P384: "secp384r1",
  ECC_NIST_P521: "secp521r1",
  ECC_SECG_P256K1: "secp256k1",
};

export const realCryptography: Cryptography = {
  bytes: (count) => crypto.randomBytes(count),
  generate: (spec) => generate(spec),
  publicKey: (material) => pairOf(material).publicKey.export({ type: "spki", format: "der" }),
  privateKey: (material) => pairOf(material).privateKey.export({ type: "pkcs8", format: "der" }),
  seal,
  open,
  encrypt: (material, algorithm, plaintext) =>
    crypto.publicEncrypt({ key: pairOf(material).publicKey, ...oaep(algorithm) }, plaintext),
  decrypt: (material, algorithm, ciphertext) =>
    orUndefined(() =>
      crypto.privateDecrypt({ key: pairOf(material).privateKey, ...oaep(algorithm) }, ciphertext),
    ),
  sign,
  verify,
  mac: (material, algorithm, message) =>
    crypto.createHmac(hashOf(algorithm), secretOf(material)).update(message).digest(),
  agree: (material, publicKey) =>
    orUndefined(() =>
      crypto.diffieHellman({
        privateKey: pairOf(material).privateKey,
        publicKey: crypto.createPublicKey({
          key: Buffer.from(publicKey),
          type: "spki",
          format: "der",
        }),
      }),
    ),
  encapsulate,
  decapsulate: (material, encapsulated) =>
    orUndefined(() => crypto.decapsulate(pairOf(material).privateKey, encapsulated)),
};

function encapsulate(material: Material) {
  const { sharedKey, ciphertext } = crypto.encapsulate(pairOf(material).publicKey);
  return { secret: sharedKey, encapsulated: ciphertext };
}

function generate(spec: KeySpec): RealMaterial {
  if (spec === "SYMMETRIC_DEFAULT") return { kind: "secret", secret: crypto.randomBytes(32) };
  const hmacBits = /^HMAC_(\d+)$/.exec(spec)?.[1];
  if (hmacBits !== undefined) {
    return { kind: "secret", secret: crypto.randomBytes(Number(hmacBits) / 8) };
  }
  return { kind: "pair", spec, ...generatePair(spec) };
}

function generatePair(spec: KeySpec): { publicKey: KeyObject; privateKey: KeyObject } {
  const modulusLength = rsaBits[spec];
  if (modulusLength !== undefined) return crypto.generateKeyPairSync("rsa", { modulusLength });
  const namedCurve = curves[spec];
  if (namedCurve !== undefined) return crypto.generateKeyPairSync("ec", { namedCurve });
  switch (spec) {
    case "ECC_NIST_EDWARDS25519":
      return crypto.generateKeyPairSync("ed25519");
    case "ML_DSA_44":
      return crypto.generateKeyPairSync("ml-dsa-44");
    case "ML_DSA_65":
      return crypto.generateKeyPairSync("ml-dsa-65");
    case "ML_DSA_87":
      return crypto.generateKeyPairSync("ml-dsa-87");
    case "ML_KEM_512":
      return crypto.generateKeyPairSync("ml-kem-512");
    case "ML_KEM_768":
      return crypto.generateKeyPairSync("ml-kem-768");
    case "ML_KEM_1024":
      return crypto.generateKeyPairSync("ml-kem-1024");
    default:
      throw new Error(`no material for key spec ${spec}`);
  }
}

const ivBytes = 12;
const tagBytes = 16;

function seal(material: Material, plaintext: Uint8Array, bound: Uint8Array): Uint8Array {
  const iv = crypto.randomBytes(ivBytes);
  const cipher = crypto.createCipheriv("aes-256-gcm", secretOf(material), iv);
  cipher.setAAD(bound);
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]);
}

function open(material: Material, sealed: Uint8Array, bound: Uint8Array): Uint8Array | undefined {
  if (sealed.length < ivBytes + tagBytes) return undefined;
  const iv = sealed.subarray(0, ivBytes);
  const decipher = crypto.createDecipheriv("aes-256-gcm", secretOf(material), iv);
  decipher.setAAD(bound);
  decipher.setAuthTag(sealed.subarray(ivBytes, ivBytes + tagBytes));
  return orUndefined(() =>
    Buffer.concat([decipher.update(sealed.subarray(ivBytes + tagBytes)), decipher.final()]),
  );
}

function sign(material: Material, signing: Signing): Uint8Array {
  const { privateKey, spec } = pairOf(material);
  const { algorithm, message } = signing;
  const hash = hashOf(algorithm);
  if (algorithm === "ED25519_PH_SHA_512") return prehashSign(privateKey, message);
  if (!isHashed(algorithm)) return crypto.sign(null, message, privateKey);
  if (signing.messageType === "RAW")
    return crypto.sign(hash, message, padded(privateKey, algorithm));
  if (algorithm.startsWith("ECDSA")) return ecdsaSign(curves[spec] ?? "", privateKey, message);
  if (algorithm.startsWith("RSASSA_PSS")) return pssSign(privateKey, hash, message);
  return crypto.privateEncrypt(
    { key: privateKey, padding: crypto.constants.RSA_PKCS1_PADDING },
    pkcs1DigestInfo(hash, message),
  );
}

function verify(material: Material, signing: Signing, signature: Uint8Array): boolean {
  const { publicKey, privateKey, spec } = pairOf(material);
  const { algorithm, message } = signing;
  const hash = hashOf(algorithm);
  if (algorithm === "ED25519_PH_SHA_512") return prehashVerify(privateKey, message, signature);
  if (!isHashed(algorithm)) return crypto.verify(null, message, publicKey, signature);
  if (signing.messageType === "RAW") {
    return crypto.verify(hash, message, padded(publicKey, algorithm), signature);
  }
  if (algorithm.startsWith("ECDSA")) {
    return ecdsaVerify(curves[spec] ?? "", privateKey, message, signature);
  }
  if (algorithm.startsWith("RSASSA_PSS")) return pssVerify(publicKey, hash, message, signature);
  const opened = orUndefined(() =>
    crypto.publicDecrypt(
      { key: publicKey, padding: crypto.constants.RSA_PKCS1_PADDING },
      signature,
    ),
  );
  return opened?.equals(pkcs1DigestInfo(hash, message)) ?? false;
}

/** Ed25519 and ML-DSA hash within the algorithm. */
function isHashed(algorithm: string): boolean {
  return algorithm.startsWith("RSA") || algorithm.startsWith("ECDSA");
}

function padded(key: KeyObject, algorithm: string) {
  if (!algorithm.startsWith("RSASSA_PSS")) return { key };
  return {
    key,
    padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
    saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST,
  };
}

function oaep(algorithm: string) {
  return { padding: crypto.constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hashOf(algorithm) };
}

/** The hash from the end of an algorithm's name. */
export function hashOf(algorithm: string): string {
  return `sha${/SHA_(\d+)$/.exec(algorithm)?.[1] ?? "512"}`;
}

export function hashBytesOf(algorithm: string): number {
  return Number(hashOf(algorithm).slice("sha".length)) / 8;
}

function pairOf(material: Material): Pair {
  return material as Pair;
}

function secretOf(material: Material): Buffer {
  return (material as Extract<RealMaterial, { kind: "secret" }>).secret;
}

function orUndefined<T>(attempt: () => T): T | undefined {
  try {
    return attempt();
  } catch {
    return undefined;
  }
}
