/**
 * Replaces real cryptography in simulations with millions of calls. Nothing here is secret. It keeps
 * the property that tests need: it always detects another key, message or context.
 */
import crypto from "node:crypto";
import { hashOf, type Cryptography, type Material, type Signing } from "./cryptography.ts";

type CheapMaterial = Material & { spec: string; id: string };

const tagBytes = 16;

export const cheapCryptography: Cryptography = {
  bytes: (count, random) => random.bytes(count),
  generate: (spec, id): CheapMaterial => ({ kind: "cheap", spec, id }),
  publicKey: (material) => Buffer.from(publicNameOf(material)),
  privateKey: (material) => Buffer.from(`cheap private key ${idOf(material)}`),
  seal: (material, plaintext, bound) =>
    Buffer.concat([fingerprint("seal", idOf(material), bound, plaintext), plaintext]),
  open: (material, sealed, bound) =>
    unwrap(sealed, (plaintext) => fingerprint("seal", idOf(material), bound, plaintext)),
  encrypt: (material, algorithm, plaintext) =>
    Buffer.concat([fingerprint(algorithm, idOf(material), plaintext), plaintext]),
  decrypt: (material, algorithm, ciphertext) =>
    unwrap(ciphertext, (plaintext) => fingerprint(algorithm, idOf(material), plaintext)),
  sign,
  verify: (material, signing, signature) => sign(material, signing).equals(signature),
  mac: (material, algorithm, message) => fingerprint(algorithm, idOf(material), message),
  agree: (material, publicKey) => {
    const names = [publicNameOf(material), Buffer.from(publicKey).toString("utf8")];
    const curves = names.map((name) => /^cheap public key (\w+) /.exec(name)?.[1]);
    if (curves[0] !== curves[1]) return undefined;
    return fingerprint("agree", ...names.sort());
  },
  encapsulate: (material, random) => {
    const encapsulated = random.bytes(2 * tagBytes);
    return { secret: fingerprint("encapsulate", idOf(material), encapsulated), encapsulated };
  },
  decapsulate: (material, encapsulated) =>
    encapsulated.length === 2 * tagBytes
      ? fingerprint("encapsulate", idOf(material), encapsulated)
      : undefined,
};

/** A message and its digest count as the same message, as in KMS. */
function sign(material: Material, { algorithm, messageType, message }: Signing): Buffer {
  const hashes = /^(?:RSASSA|ECDSA)/.test(algorithm) && messageType === "RAW";
  const digest = hashes ? crypto.hash(hashOf(algorithm), message, "buffer") : message;
  return fingerprint(algorithm, idOf(material), digest);
}

function unwrap(
  wrapped: Uint8Array,
  tagOf: (plaintext: Uint8Array) => Buffer,
): Uint8Array | undefined {
  if (wrapped.length < tagBytes) return undefined;
  const plaintext = wrapped.subarray(tagBytes);
  return tagOf(plaintext).equals(wrapped.subarray(0, tagBytes)) ? plaintext : undefined;
}

function fingerprint(...parts: (string | Uint8Array)[]): Buffer {
  const framed = parts.flatMap((part) => {
    const bytes = Buffer.from(part);
    return [Buffer.from(`${bytes.length}:`), bytes];
  });
  return crypto.hash("sha256", Buffer.concat(framed), "buffer").subarray(0, tagBytes);
}

function publicNameOf(material: Material): string {
  const { spec, id } = material as CheapMaterial;
  return `cheap public key ${spec} ${id}`;
}

function idOf(material: Material): string {
  return (material as CheapMaterial).id;
}
