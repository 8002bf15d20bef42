/** The way of a call from a process to the world and back, and its faults. */
import type { Engine } from "./engine.ts";
import type { PlannedFault, FaultPlan, Medium } from "./fault-plan.ts";
import type { Sandbox } from "./sandbox.ts";

/** One call in transit. */
export type Passing<T> = {
  medium: Medium;
  /** For the trace. */
  name: () => string;
  /** Applies the call; the effect exists once this has returned its promise. */
  apply: () => Promise<T>;
  /** The result for the sender if no response comes in time. */
  unanswered: () => Promise<T>;
  /** The result for the sender after a refusal. */
  refused: () => Promise<T>;
  /** The sender's guard, called at the send: a result if it prevents the send. */
  isLate?: () => Promise<T> | undefined;
  /** Called when a request leaves; the returned function, when it arrives. */
  underWay?: () => () => void;
};

export class Network {
  readonly #engine: Engine;
  readonly #faultPlan: FaultPlan;
  readonly #trace: (line: () => string) => void;
  readonly #limitMs: number;

  constructor(
    engine: Engine,
    faultPlan: FaultPlan,
    limitMs: number,
    trace: (line: () => string) => void,
  ) {
    this.#engine = engine;
    this.#faultPlan = faultPlan;
    this.#limitMs = limitMs;
    this.#trace = trace;
  }

  pass<T>(from: Sandbox, call: Passing<T>): Promise<T> {
    const plannedFault = this.#faultPlan.of(call.medium, call.name);
    const isPrompt = plannedFault.stallMs + plannedFault.outMs + plannedFault.backMs === 0;
    const isPlain =
      plannedFault.crash === undefined &&
      plannedFault.unanswered !== true &&
      plannedFault.refused !== true;
    if (isPrompt && isPlain && plannedFault.again === undefined) {
      const late = call.isLate?.();
      if (late !== undefined) return late;
      this.#trace(() => `${from.name}: ${call.name()}`);
      return call.apply();
    }
    return new Promise((resolve, reject) => {
      const answer = (ms: number, what: () => Promise<T>): void => {
        this.#engine.after(ms, () => from.deliver(() => void what().then(resolve, reject)));
      };
      const stallMs = this.#stallMs(from, plannedFault);
      if (stallMs > 0) {
        this.#trace(() => `${from.name}: stalls for ${stallMs} ms before ${call.name()}`);
        from.stall(stallMs);
      }
      this.#engine.after(stallMs, () =>
        from.deliver(() => this.#send(from, call, plannedFault, answer)),
      );
    });
  }

  /** A long stall ends when the process has hardly any time left. */
  #stallMs(from: Sandbox, { stallMs }: PlannedFault): number {
    if (stallMs !== Infinity) return stallMs;
    const { stallMs: longestMs } = this.#faultPlan.envelope;
    return Math.max(0, Math.min(longestMs, from.leftMs - this.#faultPlan.between(1, 2000)));
  }

  #send<T>(
    from: Sandbox,
    call: Passing<T>,
    plannedFault: PlannedFault,
    answer: (ms: number, what: () => Promise<T>) => void,
  ): void {
    if (plannedFault.crash === "before") {
      this.#trace(() => `${from.name}: ends before ${call.name()}`);
      return from.end();
    }
    const late = call.isLate?.();
    if (late !== undefined) return answer(0, () => late);
    if (plannedFault.refused === true) {
      this.#trace(() => `${from.name}: ${call.name()} is refused`);
      return answer(plannedFault.backMs, call.refused);
    }
    if (plannedFault.unanswered === true || plannedFault.crash === "after")
      this.#traceLost(from, call, plannedFault);
    if (plannedFault.lost !== true) {
      const isOver = call.underWay?.();
      this.#engine.after(plannedFault.outMs, () => {
        isOver?.();
        this.#land(from, call, plannedFault, answer);
      });
    }
    if (plannedFault.crash === "after") return from.end();
    if (plannedFault.unanswered === true) answer(this.#limitMs, call.unanswered);
  }

  #land<T>(
    from: Sandbox,
    call: Passing<T>,
    plannedFault: PlannedFault,
    answer: (ms: number, what: () => Promise<T>) => void,
  ): void {
    this.#trace(
      () => `${from.name}: ${call.name()}${plannedFault.outMs > 0 ? " (arrives now)" : ""}`,
    );
    const result = this.#apply(call);
    const isHeard = plannedFault.unanswered !== true && plannedFault.crash === undefined;
    if (isHeard && plannedFault.again?.hears !== "second")
      answer(plannedFault.backMs, () => result);
    if (plannedFault.again === undefined) return;
    const { afterMs, hears } = plannedFault.again;
    this.#engine.after(afterMs, () => {
      this.#trace(() => `${from.name}: ${call.name()} arrives a second time`);
      const second = this.#apply(call);
      if (hears === "second") answer(plannedFault.backMs, () => second);
    });
  }

  #apply<T>(call: Passing<T>): Promise<T> {
    this.#engine.stir();
    const result = call.apply();
    // The sender may have ended: a failure then has no handler.
    result.catch(() => undefined);
    return result;
  }

  #traceLost<T>(from: Sandbox, call: Passing<T>, plannedFault: PlannedFault): void {
    this.#trace(() => {
      if (plannedFault.crash !== undefined)
        return `${from.name}: ends right after sending ${call.name()}`;
      const what = plannedFault.lost === true ? "is lost" : "will have no response";
      return `${from.name}: ${call.name()} ${what}`;
    });
  }
}
