/**
 * The faults of the calls between a process and the world, and the age of what reads show: drawn
 * from one seed, within the envelope below.
 */
import { clockSkewMs, consistencyMs, requestLimitMs } from "../../lambda/workflow/model/limits.ts";
import type { SimRandom } from "../../embedded-aws/random.ts";

const minuteMs = 60_000;

/** The limits of the faults. Within them nothing may break; slightly outside, something must. */
export type Envelope = {
  /** How long a request may be in flight. */
  flightMs: number;
  /** How far a process's clock may deviate either way; two clocks may differ by twice this. */
  skewMs: number;
  /** How old the state may be that KMS shows, or by which it authorizes. */
  lagMs: number;
  /** How long a process may stall; the platform still ends it at its deadline. */
  stallMs: number;
  /** How old the tagging API's responses may be: it documents no bound. */
  tagLagMs: number;
  /** Whether the platform ends a run at its deadline, and prevents later sends. */
  deadlinesHold: boolean;
};

export const insideEnvelope: Envelope = {
  flightMs: requestLimitMs,
  skewMs: clockSkewMs / 2,
  lagMs: consistencyMs,
  stallMs: 6 * minuteMs,
  tagLagMs: consistencyMs,
  deadlinesHold: true,
};

/** The probability of each fault, per call or per occasion; 0 is never. */
export type Faults = {
  /** The process ends before it sends, or right after. */
  crash: number;
  /** The request never arrives, and the sender gets no response. */
  lostRequest: number;
  /** The request is applied, and the sender gets no response. */
  lostResponse: number;
  /** The request arrives late, after its sender has timed out. */
  late: number;
  /** The process stalls before it sends. */
  stall: number;
  /** The request takes time, and other calls may come in between. */
  slow: number;
  /** The service throttles or fails the request, and does nothing. */
  refused: number;
  /** The SDK sends a write to the table again, although the first one arrived. */
  again: number;
  /** A read shows an earlier state. */
  stale: number;
  /** Authorization uses earlier tags. */
  unauthorized: number;
  /** The schedule fires twice, or starts a run with nothing due. */
  doubleTick: number;
  /** A tag search shows an earlier state. */
  unfound: number;
  /** GetKeyLastUsage returns no last use. */
  unknownUse: number;
  /** External callers exhaust the quota of an operation, or of one key, for some minutes. */
  crowd: number;
};

export type FaultKind = keyof Faults;

export const noFaults: Faults = {
  crash: 0,
  lostRequest: 0,
  lostResponse: 0,
  late: 0,
  stall: 0,
  slow: 0,
  refused: 0,
  again: 0,
  stale: 0,
  unauthorized: 0,
  unfound: 0,
  doubleTick: 0,
  unknownUse: 0,
  crowd: 0,
};

/** What is called: KMS reads, KMS changes, the table, anything else. */
export type Medium = "observe" | "change" | "table" | "other";

/** The plan of one call: how long it stalls before the send, and travels each way. */
export type PlannedFault = {
  /** Infinity: until shortly before the platform ends the process. */
  stallMs: number;
  outMs: number;
  backMs: number;
  /** Whether the process ends before or after the send. */
  crash?: "before" | "after";
  /** Never applied. */
  lost?: boolean;
  /** Never answered. */
  unanswered?: boolean;
  /** Refused, and certainly not applied. */
  refused?: boolean;
  /** Applied again, `afterMs` later; the sender gets the first response or the second. */
  again?: { afterMs: number; hears: "first" | "second" };
};

export const prompt: PlannedFault = { stallMs: 0, outMs: 0, backMs: 0 };

/** Draws the faults. While `on` is false there are none, but the plan still draws. */
export class FaultPlan {
  on = true;
  /** After this many faults there are no more: for the shortest history that still fails. */
  faultsMax = Infinity;
  /** Replaces the draws: the plan of each call, in the order of calls. */
  script: ((medium: Medium, name: string) => PlannedFault) | undefined;
  readonly injected: Partial<Record<FaultKind, number>> = {};
  readonly envelope: Envelope;
  /** The probability of each in this history. */
  readonly rates: Faults;
  readonly #random: SimRandom;
  #count = 0;

  constructor(random: SimRandom, faults: Faults, envelope: Envelope) {
    this.#random = random;
    this.rates = faults;
    this.envelope = envelope;
  }

  get count(): number {
    return this.#count;
  }

  strikes(kind: FaultKind): boolean {
    const rate = this.rates[kind];
    if (rate === 0 || this.#random.next() >= rate) return false;
    if (!this.on || this.#count >= this.faultsMax) return false;
    this.#count += 1;
    this.injected[kind] = (this.injected[kind] ?? 0) + 1;
    return true;
  }

  between(lowMs: number, highMs: number): number {
    return Math.floor(lowMs + this.#random.next() * (highMs - lowMs));
  }

  /** The age of the state that one read shows. */
  lagMs(kind: "stale" | "unauthorized" | "unfound"): number {
    const { lagMs, tagLagMs } = this.envelope;
    return this.strikes(kind) ? this.between(0, kind === "unfound" ? tagLagMs : lagMs) : 0;
  }

  /** Draws the plan of a call: most are prompt, and each has at most one fault. */
  of(medium: Medium, name: () => string): PlannedFault {
    if (this.script !== undefined) return this.script(medium, name());
    const { flightMs } = this.envelope;
    if (this.strikes("crash")) {
      const crash = this.#random.next() < 0.5 ? "before" : "after";
      return { ...prompt, outMs: this.between(0, flightMs), crash };
    }
    if (this.strikes("stall")) {
      const isLong = this.#random.next() < 0.5;
      const stallMs = isLong ? Infinity : this.between(0, this.envelope.stallMs);
      return { ...prompt, stallMs, outMs: this.between(0, flightMs) };
    }
    if (this.strikes("lostRequest")) return { ...prompt, lost: true, unanswered: true };
    if (this.strikes("lostResponse")) {
      return { ...prompt, outMs: this.between(0, flightMs / 2), unanswered: true };
    }
    if (this.strikes("late")) {
      return { ...prompt, outMs: this.between(flightMs / 2, flightMs), unanswered: true };
    }
    if (this.strikes("refused")) return { ...prompt, backMs: this.between(0, 100), refused: true };
    if (medium === "table" && this.strikes("again")) {
      const hears = this.#random.next() < 0.5 ? "first" : "second";
      return { ...prompt, again: { afterMs: this.between(1, flightMs), hears } };
    }
    if (this.strikes("slow")) {
      return { ...prompt, outMs: this.between(0, 3000), backMs: this.between(0, 3000) };
    }
    return prompt;
  }
}
