/**
 * The set of states found: 64 bits of hash for each, in one open-addressing table, and its number.
 * Among n states the expected number of collisions is n² / 2⁶⁵: one in a million searches of five
 * million states. A collision could hide a state; it could not invent one.
 */
import type { Projection } from "./projection.ts";

export class Fingerprints {
  size = 0;
  #bits: number;
  #table: Int32Array;
  #numbers: Int32Array;

  constructor(bits = 16) {
    this.#bits = bits;
    this.#table = new Int32Array(2 << bits);
    this.#numbers = new Int32Array(1 << bits).fill(-1);
  }

  /** The number of this state, and whether it is new. */
  add(projection: Projection): { index: number; isNew: boolean } {
    const [one, other] = hashed(projection);
    const place = this.#placeOf(one, other);
    const known = this.#numbers[place] ?? -1;
    if (known >= 0) return { index: known, isNew: false };
    this.#table[2 * place] = one;
    this.#table[2 * place + 1] = other;
    const index = this.size++;
    this.#numbers[place] = index;
    if (this.size * 2 > 1 << this.#bits) this.#grow();
    return { index, isNew: true };
  }

  #placeOf(one: number, other: number): number {
    const mask = (1 << this.#bits) - 1;
    let place = (one ^ (other >>> 15)) & mask;
    while (
      this.#numbers[place] !== -1 &&
      (this.#table[2 * place] !== one || this.#table[2 * place + 1] !== other)
    ) {
      place = (place + 1) & mask;
    }
    return place;
  }

  #grow(): void {
    const larger = new Fingerprints(this.#bits + 1);
    for (let old = 0; old < this.#numbers.length; old++) {
      const index = this.#numbers[old] ?? -1;
      if (index < 0) continue;
      const [one, other] = [this.#table[2 * old] ?? 0, this.#table[2 * old + 1] ?? 0];
      const place = larger.#placeOf(one, other);
      larger.#table[2 * place] = one;
      larger.#table[2 * place + 1] = other;
      larger.#numbers[place] = index;
    }
    this.#bits += 1;
    this.#table = larger.#table;
    this.#numbers = larger.#numbers;
  }
}

/** Two chains of the mixing of MurmurHash3, with other seeds and other constants. */
export function hashed({ words, length }: Projection): [number, number] {
  let one = 0x2f0b4a27;
  let other = 0x51ed270b;
  for (let index = 0; index < length; index++) {
    const word = words[index] ?? 0;
    let k = Math.imul(word, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    one ^= k;
    one = (Math.imul((one << 13) | (one >>> 19), 5) + 0xe6546b64) | 0;
    let j = Math.imul(word ^ 0x38b34ae5, 0xa1e38b93);
    j = Math.imul((j << 16) | (j >>> 16), 0xab0e9789);
    other ^= j;
    other = (Math.imul((other << 17) | (other >>> 15), 9) + 0x85ebca6b) | 0;
  }
  return [mixed(one ^ length), mixed(other + length)];
}

function mixed(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
