/**
 * What a process has read: no read is repeated within a minute. The names come from callers, and so the
 * number of entries is bounded.
 */
const freshForMs = 60_000;
const entriesMax = 10_000;

export class Memory<T> {
  readonly #nowMs: () => number;
  readonly #known = new Map<string, { value: T; readAtMs: number }>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  async get(name: string, read: () => Promise<T>): Promise<T> {
    const known = this.#known.get(name);
    if (known !== undefined && this.#nowMs() < known.readAtMs + freshForMs) return known.value;
    const value = await read();
    this.set(name, value);
    return value;
  }

  set(name: string, value: T): void {
    this.forget(name);
    this.#known.set(name, { value, readAtMs: this.#nowMs() });
    const [oldest] = this.#known.keys();
    if (this.#known.size > entriesMax && oldest !== undefined) this.forget(oldest);
  }

  /** A new value of what was read before: the time of that read stays. */
  replace(name: string, value: T): void {
    const known = this.#known.get(name);
    if (known === undefined) this.set(name, value);
    else known.value = value;
  }

  forget(name: string): void {
    this.#known.delete(name);
  }
}
