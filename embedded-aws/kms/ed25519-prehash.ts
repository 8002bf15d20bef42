/**
 * Ed25519ph (RFC 8032, section 5.1), which node:crypto lacks: the signature covers a SHA-512 of the
 * caller's input, under its own prefix. Verifies with the private key, as only the twin may.
 */
import crypto, { type KeyObject } from "node:crypto";

type Point = { x: bigint; y: bigint; z: bigint; t: bigint };

const p = 2n ** 255n - 19n;
const order = 2n ** 252n + 27742317777372353535851937790883648493n;
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const base = affine(
  15112221349535400772501151409588531511454012693041857206046113283949847762202n,
  46316835694926478169428394003475163141307993866256225615783033603165251855960n,
);
const prefix = Buffer.from("SigEd25519 no Ed25519 collisions\x01\x00", "latin1");

export function prehashSign(privateKey: KeyObject, message: Uint8Array): Uint8Array {
  const { scalar, nonceKey, publicBytes } = secretsOf(privateKey);
  const prehash = sha512(message);
  const r = littleEndian(sha512(prefix, nonceKey, prehash)) % order;
  const encodedR = encode(multiply(r));
  const h = littleEndian(sha512(prefix, encodedR, publicBytes, prehash)) % order;
  const s = (r + h * scalar) % order;
  return Buffer.concat([encodedR, toBytes(s)]);
}

export function prehashVerify(
  privateKey: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64) return false;
  const { scalar, publicBytes } = secretsOf(privateKey);
  const encodedR = Buffer.from(signature.subarray(0, 32));
  const s = littleEndian(signature.subarray(32));
  if (s >= order) return false;
  const h = littleEndian(sha512(prefix, encodedR, publicBytes, sha512(message))) % order;
  const r = (((s - h * scalar) % order) + order) % order;
  return encode(multiply(r)).equals(encodedR);
}

/** Section 5.1.5: the seed's hash gives the scalar and the key of the nonce. */
function secretsOf(privateKey: KeyObject) {
  const jwk = privateKey.export({ format: "jwk" });
  const hash = sha512(Buffer.from(jwk.d ?? "", "base64url"));
  const low = Buffer.from(hash.subarray(0, 32));
  low[0] = (low[0] ?? 0) & 0xf8;
  low[31] = ((low[31] ?? 0) & 0x7f) | 0x40;
  return {
    scalar: littleEndian(low),
    nonceKey: hash.subarray(32),
    publicBytes: Buffer.from(jwk.x ?? "", "base64url"),
  };
}

function multiply(scalar: bigint): Point {
  let sum: Point = { x: 0n, y: 1n, z: 1n, t: 0n };
  for (const bit of scalar.toString(2)) {
    sum = add(sum, sum);
    if (bit === "1") sum = add(sum, base);
  }
  return sum;
}

/** Section 5.1.4: this formula also doubles. */
function add(one: Point, other: Point): Point {
  const a = mod((one.y - one.x) * (other.y - other.x));
  const b = mod((one.y + one.x) * (other.y + other.x));
  const c = mod(2n * one.t * other.t * d);
  const e = mod(2n * one.z * other.z);
  const [f, g, h, i] = [b - a, e - c, e + c, b + a];
  return { x: mod(f * g), y: mod(h * i), z: mod(g * h), t: mod(f * i) };
}

function encode(point: Point): Buffer {
  const inverse = power(point.z, p - 2n);
  const [x, y] = [mod(point.x * inverse), mod(point.y * inverse)];
  const bytes = toBytes(y);
  bytes[31] = (bytes[31] ?? 0) | (x % 2n === 1n ? 0x80 : 0);
  return bytes;
}

function affine(x: bigint, y: bigint): Point {
  return { x, y, z: 1n, t: mod(x * y) };
}

function power(value: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = mod(result * result);
    if (bit === "1") result = mod(result * value);
  }
  return result;
}

function mod(value: bigint): bigint {
  return ((value % p) + p) % p;
}

function sha512(...parts: Uint8Array[]): Buffer {
  return crypto.hash("sha512", Buffer.concat(parts), "buffer");
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}

function toBytes(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
}
