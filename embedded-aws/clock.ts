/** The time of the embedded AWS: it moves only forward, by hand or along with real time. */

export type SimClockOptions = {
  /** Where the clock starts; the present moment by default. */
  startMs?: number;
  /** Let real time pass on this clock too, beside the moves made by hand. */
  runsWithRealTime?: boolean;
};

export class SimClock {
  readonly runsWithRealTime: boolean;
  #baseMs: number;
  #baseRealMs: number;

  constructor(options: SimClockOptions = {}) {
    this.runsWithRealTime = options.runsWithRealTime ?? false;
    this.#baseMs = Math.floor(options.startMs ?? Date.now());
    this.#baseRealMs = performance.now();
  }

  nowMs(): number {
    if (!this.runsWithRealTime) return this.#baseMs;
    return this.#baseMs + Math.floor(performance.now() - this.#baseRealMs);
  }

  moveTo(ms: number): void {
    if (!Number.isFinite(ms)) throw new Error(`the clock cannot be moved to ${ms}`);
    const nowMs = this.nowMs();
    if (ms < nowMs) throw new Error(`the clock cannot go back from ${nowMs} to ${ms}`);
    this.#set(ms);
  }

  /** As far as that, where it is not further already: real time may pass it between a look and a move. */
  reach(ms: number): void {
    this.#set(Math.max(ms, this.nowMs()));
  }

  advance(ms: number): void {
    if (ms < 0) throw new Error(`the clock cannot go back by ${-ms} ms`);
    this.#set(this.nowMs() + ms);
  }

  #set(ms: number): void {
    if (!Number.isFinite(ms)) throw new Error(`the clock cannot be moved to ${ms}`);
    this.#baseMs = Math.floor(ms);
    this.#baseRealMs = performance.now();
  }
}
