/** The planned events beside keyturn's runs, in the order of simulated time. */
import type { SimClock } from "../embedded-aws/clock.ts";
import type { Entry } from "./timeline.ts";

type Act = () => Promise<Entry[]>;
type Point = { atMs: number; order: number; act: Act };

export class Agenda {
  readonly #clock: SimClock;
  #points: Point[] = [];
  #order = 0;

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  after(ms: number, act: Act): void {
    this.#points.push({ atMs: this.nowMs() + ms, order: this.#order++, act });
    this.#points.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
  }

  /** Repeats without end; the first time after `firstMs`. */
  every(firstMs: number, everyMs: number, act: Act): void {
    this.after(firstMs, () => {
      this.every(everyMs, everyMs, act);
      return act();
    });
  }

  nextAtMs(): number {
    return this.#points[0]?.atMs ?? Infinity;
  }

  act(): Promise<Entry[]> {
    const [next, ...later] = this.#points;
    this.#points = later;
    return next === undefined ? Promise.resolve([]) : next.act();
  }
}
