/**
 * Virtual time. A queue holds the coming events. Between two events all awaiting code runs, and
 * nothing outside of the engine does: a history depends only on its seed.
 */

type Event = { atMs: number; order: number; happen: () => void };

export class Engine {
  #nowMs: number;
  #made = 0;
  /** A binary heap, the earliest first; for equal times, in the order of insertion. */
  readonly #queue: Event[] = [];
  #stirred = false;
  events = 0;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, happen: () => void): void {
    const event = { atMs: Math.max(atMs, this.#nowMs), order: (this.#made += 1), happen };
    const queue = this.#queue;
    let place = queue.push(event) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = queue[above];
      if (other === undefined || isBefore(other, event)) break;
      queue[place] = other;
      place = above;
    }
    queue[place] = event;
  }

  after(ms: number, happen: () => void): void {
    this.at(this.#nowMs + ms, happen);
  }

  /** Awaiting code got a result: it must run before the next event. */
  stir(): void {
    this.#stirred = true;
  }

  /** Lets time pass, and calls `each` after every event. */
  async runUntil(untilMs: number, each: () => void = () => undefined): Promise<void> {
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#take();
      this.#nowMs = next.atMs;
      this.events += 1;
      next.happen();
      if (this.#stirred) {
        this.#stirred = false;
        await rest(this.events);
      }
      each();
    }
    this.#nowMs = Math.max(untilMs, this.#nowMs);
  }

  #take(): void {
    const queue = this.#queue;
    const last = queue.pop();
    if (last === undefined || queue.length === 0) return;
    let place = 0;
    for (;;) {
      const left = queue[2 * place + 1];
      const right = queue[2 * place + 2];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const sooner = isRight ? right : left;
      if (isBefore(last, sooner)) break;
      queue[place] = sooner;
      place = 2 * place + (isRight ? 2 : 1);
    }
    queue[place] = last;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

/** After how many events real timers and messages get a turn of the event loop. */
const eventsPerPass = 1000;

/**
 * Waits until all awaiting code has run: a tick comes after all microtasks, at a fifth of the cost
 * of a turn of the event loop.
 */
function rest(events: number): Promise<void> {
  return new Promise((resolve) => {
    if (events % eventsPerPass === 0) setImmediate(resolve);
    else process.nextTick(resolve);
  });
}
