/**
 * ECDSA over a digest from the caller; node:crypto does not offer it, because it always hashes. Only
 * the twin may verify like this, with the private key: the signature's point is then a multiple of
 * the base point, which ECDH computes.
 */
import crypto, { type KeyObject } from "node:crypto";

const orders: Record<string, bigint> = {
  prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp384r1: BigInt(
    "0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf" +
      "581a0db248b0a77aecec196accc52973",
  ),
  secp521r1: BigInt(
    "0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa" +
      "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
  ),
  secp256k1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
};

export function ecdsaSign(curve: string, privateKey: KeyObject, digest: Uint8Array): Uint8Array {
  const n = orderOf(curve);
  const d = scalarOf(privateKey);
  for (;;) {
    const k = toBigInt(crypto.randomBytes(byteLength(n))) % n;
    if (k === 0n) continue;
    const r = multipleOfBase(curve, k) % n;
    const s = (inverse(k, n) * (leftmost(digest, n) + r * d)) % n;
    if (r !== 0n && s !== 0n) return derOf(r, s);
  }
}

export function ecdsaVerify(
  curve: string,
  privateKey: KeyObject,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const n = orderOf(curve);
  const pair = readDer(signature);
  if (pair === undefined) return false;
  const { r, s } = pair;
  if (r <= 0n || r >= n || s <= 0n || s >= n) return false;
  const k = (inverse(s, n) * (leftmost(digest, n) + r * scalarOf(privateKey))) % n;
  return k !== 0n && multipleOfBase(curve, k) % n === r;
}

/** The x coordinate of k times the base point. */
function multipleOfBase(curve: string, k: bigint): bigint {
  const ecdh = crypto.createECDH(curve);
  ecdh.setPrivateKey(toBytes(k, byteLength(orderOf(curve))));
  const point = ecdh.getPublicKey();
  return toBigInt(point.subarray(1, 1 + (point.length - 1) / 2));
}

function orderOf(curve: string): bigint {
  const order = orders[curve];
  if (order === undefined) throw new Error(`unknown order of curve ${curve}`);
  return order;
}

function scalarOf(privateKey: KeyObject): bigint {
  const { d } = privateKey.export({ format: "jwk" });
  if (d === undefined) throw new Error("not a private key");
  return toBigInt(Buffer.from(d, "base64url"));
}

/** The leftmost bits of the digest, up to the bit length of the order (FIPS 186-5, section 6.4). */
function leftmost(digest: Uint8Array, n: bigint): bigint {
  const excess = digest.length * 8 - n.toString(2).length;
  const value = toBigInt(digest);
  return excess > 0 ? value >> BigInt(excess) : value;
}

function inverse(value: bigint, n: bigint): bigint {
  let [a, b, x, y] = [value % n, n, 1n, 0n];
  while (a !== 1n) {
    const quotient = b / a;
    [a, b, x, y] = [b % a, a, y - quotient * x, x];
  }
  return ((x % n) + n) % n;
}

function derOf(r: bigint, s: bigint): Uint8Array {
  const body = Buffer.concat([derInteger(r), derInteger(s)]);
  const length = body.length < 0x80 ? [body.length] : [0x81, body.length];
  return Buffer.concat([Buffer.from([0x30, ...length]), body]);
}

function derInteger(value: bigint): Buffer {
  const bytes = toBytes(value, byteLength(value));
  const positive = (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.from([0]), bytes]);
  return Buffer.concat([Buffer.from([0x02, positive.length]), positive]);
}

function readDer(der: Uint8Array): { r: bigint; s: bigint } | undefined {
  const bytes = Buffer.from(der);
  let at = bytes[1] === 0x81 ? 3 : 2;
  const next = (): bigint => {
    const length = bytes[at + 1] ?? 0;
    const value = toBigInt(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
    return value;
  };
  if (bytes[0] !== 0x30) return undefined;
  const [r, s] = [next(), next()];
  return at === bytes.length ? { r, s } : undefined;
}

function byteLength(value: bigint): number {
  return Math.max(1, Math.ceil(value.toString(16).length / 2));
}

function toBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

function toBytes(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(length * 2, "0"), "hex");
}
