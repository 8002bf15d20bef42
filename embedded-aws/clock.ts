/** The clock of the embedded AWS: it only moves forward, when set or with real time. */

export type SimClockOptions = {
  /** The start time; now by default. */
  startMs?: number;
  /** Real time advances this clock too. */
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

  /** Moves to `ms` unless already past it: real time may pass between a read and a move. */
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
