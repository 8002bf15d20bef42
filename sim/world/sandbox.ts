/**
 * One execution environment of the platform. It exists until it crashes or its deadline ends it,
 * and is frozen while no invocation runs in it. Pending results wait, and thaw with the next
 * invocation.
 */
import type { Clock } from "../../lambda/ports.ts";
import type { Engine } from "./engine.ts";

export class Sandbox {
  readonly name: string;
  readonly clock: Clock;
  readonly #engine: Engine;
  #isAlive = true;
  #isAtWork = false;
  #stalledUntilMs = 0;
  /** When the platform ends the current invocation. */
  #endsAtMs = Infinity;
  #invocations = 0;
  #over: ((outcome: "returned" | "failed" | "ended") => void) | undefined;
  #held: (() => void)[] = [];

  constructor(engine: Engine, name: string, skewMs: number) {
    this.#engine = engine;
    this.name = name;
    this.clock = {
      nowMs: () => engine.nowMs() + skewMs,
      sleep: (ms) =>
        new Promise((resolve) => {
          engine.after(Math.ceil(ms), () => this.deliver(resolve));
        }),
    };
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isIdle(): boolean {
    return this.#isAlive && !this.#isAtWork;
  }

  /** A result reaches the process: now, after its stall, when it thaws, or never. */
  deliver(what: () => void): void {
    if (!this.#isAlive) return;
    if (!this.#isAtWork) {
      this.#held.push(what);
    } else if (this.#stalledUntilMs > this.#engine.nowMs()) {
      this.#engine.at(this.#stalledUntilMs, () => this.deliver(what));
    } else {
      this.#engine.stir();
      what();
    }
  }

  /** The time until the platform ends it. */
  get leftMs(): number {
    return this.#endsAtMs - this.#engine.nowMs();
  }

  /** Stalls the process; its sent requests are still in flight. */
  stall(ms: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#engine.nowMs() + ms);
  }

  /** The process ends, and the platform knows. */
  end(): void {
    const over = this.#isAtWork && this.#isAlive ? this.#over : undefined;
    this.#isAlive = false;
    this.#held = [];
    if (over !== undefined) this.#engine.after(0, () => over("ended"));
  }

  /**
   * Runs the handler; after `limitMs` the platform ends it if it still runs. Calls `over` with the
   * outcome; a process that ended never responds.
   */
  invoke(
    handler: () => Promise<unknown>,
    limitMs: number,
    over: (outcome: "returned" | "failed" | "ended") => void,
  ): void {
    const invocation = (this.#invocations += 1);
    this.#isAtWork = true;
    const thawed = this.#held;
    this.#held = [];
    for (const what of thawed) this.deliver(what);
    this.#engine.stir();
    const leave = (outcome: "returned" | "failed"): void => {
      this.#isAtWork = false;
      over(outcome);
    };
    handler().then(
      () => leave("returned"),
      () => leave("failed"),
    );
    this.#endsAtMs = this.#engine.nowMs() + limitMs;
    this.#over = over;
    if (limitMs === Infinity) return;
    this.#engine.after(limitMs, () => {
      if (this.#isAtWork && this.#invocations === invocation) this.end();
    });
  }
}
