/**
 * A symmetric key's ciphertext carries the id of its key and material: Decrypt needs no KeyId
 * ("Decrypt" in the AWS KMS API reference). The layout is the twin's own.
 */
import { AwsError } from "../http/aws-error.ts";

export type CiphertextParts = { keyId: string; materialId: string; sealed: Uint8Array };

const magic = Buffer.from("0102020078", "hex");
const materialIdBytes = 32;

export function writeCiphertext(parts: CiphertextParts): Uint8Array {
  const keyId = Buffer.from(parts.keyId);
  const materialId = Buffer.from(parts.materialId, "hex");
  return Buffer.concat([magic, Buffer.from([keyId.length]), keyId, materialId, parts.sealed]);
}

export function readCiphertext(blob: Uint8Array): CiphertextParts | undefined {
  const bytes = Buffer.from(blob);
  const keyIdLength = bytes[magic.length] ?? 0;
  const keyIdAt = magic.length + 1;
  const sealedAt = keyIdAt + keyIdLength + materialIdBytes;
  if (!bytes.subarray(0, magic.length).equals(magic) || bytes.length < sealedAt) return undefined;
  return {
    keyId: bytes.subarray(keyIdAt, keyIdAt + keyIdLength).toString("utf8"),
    materialId: bytes.subarray(keyIdAt + keyIdLength, sealedAt).toString("hex"),
    sealed: bytes.subarray(sealedAt),
  };
}

/** "Encryption context": the order of its pairs does not matter, their case does. */
export function boundContext(context: Record<string, string> | undefined): Uint8Array {
  const pairs = Object.entries(context ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(pairs));
}

/** KMS gives no reason: garbage, another context and a flipped bit have the same error. */
export function invalidCiphertext(): AwsError {
  return new AwsError("InvalidCiphertextException", "");
}
