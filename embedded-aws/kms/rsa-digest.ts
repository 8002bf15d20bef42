/** RSA signatures over a digest from the caller (RFC 8017), which node:crypto lacks. */
import crypto, { type KeyObject } from "node:crypto";

const digestInfoPrefixes: Record<string, string> = {
  sha256: "3031300d060960864801650304020105000420",
  sha384: "3041300d060960864801650304020205000430",
  sha512: "3051300d060960864801650304020305000440",
};

/** EMSA-PKCS1-v1_5 without its padding (section 9.2). */
export function pkcs1DigestInfo(hash: string, digest: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(digestInfoPrefixes[hash] ?? "", "hex"), digest]);
}

export function pssSign(privateKey: KeyObject, hash: string, digest: Uint8Array): Uint8Array {
  const bytes = modulusBytes(privateKey);
  const salt = crypto.randomBytes(digest.length);
  const tag = saltedHash(hash, digest, salt);
  const padding = Buffer.alloc(bytes - digest.length - salt.length - 2);
  const block = Buffer.concat([padding, Buffer.from([1]), salt]);
  const masked = xor(block, maskOf(hash, tag, block.length));
  masked[0] = (masked[0] ?? 0) & 0x7f;
  const encoded = Buffer.concat([masked, tag, Buffer.from([0xbc])]);
  return crypto.privateEncrypt(
    { key: privateKey, padding: crypto.constants.RSA_NO_PADDING },
    encoded,
  );
}

export function pssVerify(
  publicKey: KeyObject,
  hash: string,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const bytes = modulusBytes(publicKey);
  if (signature.length !== bytes) return false;
  const options = { key: publicKey, padding: crypto.constants.RSA_NO_PADDING };
  const encoded = crypto.publicDecrypt(options, signature);
  if (encoded.at(-1) !== 0xbc) return false;
  const masked = encoded.subarray(0, bytes - digest.length - 1);
  const tag = encoded.subarray(masked.length, bytes - 1);
  const block = xor(masked, maskOf(hash, tag, masked.length));
  block[0] = (block[0] ?? 0) & 0x7f;
  const saltAt = block.length - digest.length;
  const padded = block.subarray(0, saltAt - 1).every((byte) => byte === 0);
  if (!padded || block[saltAt - 1] !== 1) return false;
  return saltedHash(hash, digest, block.subarray(saltAt)).equals(tag);
}

function saltedHash(hash: string, digest: Uint8Array, salt: Uint8Array): Buffer {
  const hasher = crypto.createHash(hash).update(Buffer.alloc(8));
  return hasher.update(digest).update(salt).digest();
}

/** MGF1 (appendix B.2.1). */
function maskOf(hash: string, seed: Uint8Array, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let counter = 0, made = 0; made < length; counter++) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(counter);
    const block = crypto.createHash(hash).update(seed).update(number).digest();
    blocks.push(block);
    made += block.length;
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));
}

function modulusBytes(key: KeyObject): number {
  return (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
}
