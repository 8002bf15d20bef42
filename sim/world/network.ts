/** How a call gets from a process to the world and back, and what may become of it on the way. */
import type { Engine } from "./engine.ts";
import type { Fate, Fates, Medium } from "./fates.ts";
import type { Sandbox } from "./sandbox.ts";

/** One call on its way. */
export type Passing<T> = {
  medium: Medium;
  /** In plain words, for the trace. */
  name: () => string;
  /** What it does to the world; its effect is there when this has returned its promise. */
  apply: () => Promise<T>;
  /** What the sender makes of it where no answer comes in time. */
  unanswered: () => Promise<T>;
  /** What the sender makes of a definite refusal. */
  refused: () => Promise<T>;
  /** Asked at the moment of sending: whether the sender's own guard lets it go. */
  isLate?: () => Promise<T> | undefined;
  /** Told of a request that is under way, and of its end. */
  underWay?: () => () => void;
};

export class Network {
  readonly #engine: Engine;
  readonly #fates: Fates;
  readonly #say: (line: () => string) => void;
  readonly #limitMs: number;

  constructor(engine: Engine, fates: Fates, limitMs: number, say: (line: () => string) => void) {
    this.#engine = engine;
    this.#fates = fates;
    this.#limitMs = limitMs;
    this.#say = say;
  }

  pass<T>(from: Sandbox, call: Passing<T>): Promise<T> {
    const fate = this.#fates.of(call.medium, call.name);
    const isPrompt = fate.stallMs + fate.outMs + fate.backMs === 0;
    const isPlain = fate.crash === undefined && fate.unanswered !== true && fate.refused !== true;
    if (isPrompt && isPlain && fate.again === undefined) {
      const late = call.isLate?.();
      if (late !== undefined) return late;
      this.#say(() => `${from.name}: ${call.name()}`);
      return call.apply();
    }
    return new Promise((resolve, reject) => {
      const answer = (ms: number, what: () => Promise<T>): void => {
        this.#engine.after(ms, () => from.deliver(() => void what().then(resolve, reject)));
      };
      const stallMs = this.#stallMs(from, fate);
      if (stallMs > 0) {
        this.#say(() => `${from.name}: stands still for ${stallMs} ms before ${call.name()}`);
        from.stall(stallMs);
      }
      this.#engine.after(stallMs, () => from.deliver(() => this.#send(from, call, fate, answer)));
    });
  }

  /** One that stands still for long comes to itself when it has hardly any time left. */
  #stallMs(from: Sandbox, { stallMs }: Fate): number {
    if (stallMs !== Infinity) return stallMs;
    const { stallMs: longestMs } = this.#fates.envelope;
    return Math.max(0, Math.min(longestMs, from.leftMs - this.#fates.between(1, 2000)));
  }

  #send<T>(
    from: Sandbox,
    call: Passing<T>,
    fate: Fate,
    answer: (ms: number, what: () => Promise<T>) => void,
  ): void {
    if (fate.crash === "before") {
      this.#say(() => `${from.name}: ends before ${call.name()}`);
      return from.end();
    }
    const late = call.isLate?.();
    if (late !== undefined) return answer(0, () => late);
    if (fate.refused === true) {
      this.#say(() => `${from.name}: ${call.name()} is refused`);
      return answer(fate.backMs, call.refused);
    }
    if (fate.unanswered === true || fate.crash === "after") this.#sayLost(from, call, fate);
    if (fate.lost !== true) {
      const isOver = call.underWay?.();
      this.#engine.after(fate.outMs, () => {
        isOver?.();
        this.#land(from, call, fate, answer);
      });
    }
    if (fate.crash === "after") return from.end();
    if (fate.unanswered === true) answer(this.#limitMs, call.unanswered);
  }

  #land<T>(
    from: Sandbox,
    call: Passing<T>,
    fate: Fate,
    answer: (ms: number, what: () => Promise<T>) => void,
  ): void {
    this.#say(() => `${from.name}: ${call.name()}${fate.outMs > 0 ? " (arrives now)" : ""}`);
    const result = this.#apply(call);
    const isHeard = fate.unanswered !== true && fate.crash === undefined;
    if (isHeard && fate.again?.hears !== "second") answer(fate.backMs, () => result);
    if (fate.again === undefined) return;
    const { afterMs, hears } = fate.again;
    this.#engine.after(afterMs, () => {
      this.#say(() => `${from.name}: ${call.name()} arrives a second time`);
      const second = this.#apply(call);
      if (hears === "second") answer(fate.backMs, () => second);
    });
  }

  #apply<T>(call: Passing<T>): Promise<T> {
    this.#engine.stir();
    const result = call.apply();
    // Nobody may be left to hear of a failure.
    result.catch(() => undefined);
    return result;
  }

  #sayLost<T>(from: Sandbox, call: Passing<T>, fate: Fate): void {
    this.#say(() => {
      if (fate.crash !== undefined) return `${from.name}: ends right after sending ${call.name()}`;
      const what = fate.lost === true ? "is lost" : "will have no answer";
      return `${from.name}: ${call.name()} ${what}`;
    });
  }
}
