/** A growing list of numbers. It doubles its array when full. */
export class Numbers {
  length = 0;
  #held = new Int32Array(1 << 16);

  push(value: number): void {
    if (this.length === this.#held.length) {
      const larger = new Int32Array(this.#held.length * 2);
      larger.set(this.#held);
      this.#held = larger;
    }
    this.#held[this.length++] = value;
  }

  at(index: number): number {
    return this.#held[index] ?? -1;
  }
}
