/**
 * What becomes of the calls that pass between a process and the world, and how much the world shows:
 * drawn from one seed, within an envelope that is stated here.
 */
import { clockSkewMs, consistencyMs, requestLimitMs } from "../../lambda/workflow/model/limits.ts";
import type { SimRandom } from "../../embedded-aws/random.ts";

const minuteMs = 60_000;

/** What a fault can do at most. Within it nothing may break; a little outside of it something must. */
export type Envelope = {
  /** How long a request may be under way. */
  flightMs: number;
  /** How far a process's clock may be off, either way; two of them twice as far from each other. */
  skewMs: number;
  /** How old the world may be that KMS shows, or authorizes by. */
  lagMs: number;
  /** How long a process may stand still; the platform ends it at its deadline all the same. */
  stallMs: number;
  /** How old the tagging API's answers may be: it documents no bound. */
  tagLagMs: number;
  /** Whether the platform ends a run at its deadline, and what it would send later is not sent. */
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

/** How likely each fault is, per call or per occasion; 0 is never. */
export type Faults = {
  /** The process ends before it sends, or right after. */
  crash: number;
  /** The request never arrives, and the sender is never answered. */
  lostRequest: number;
  /** It is applied, and the sender is never answered. */
  lostResponse: number;
  /** It arrives as late as it may, when its sender has given it up. */
  late: number;
  /** The process stands still, with whatever it was about to send. */
  stall: number;
  /** It takes time, so that others may come between. */
  slow: number;
  /** The service says that it is too much, or that it failed, and did nothing. */
  refused: number;
  /** The SDK sends a write to the table again, though the first one arrived. */
  again: number;
  /** A look shows the world of some time ago. */
  stale: number;
  /** Authorization goes by the tags of some time ago. */
  unauthorized: number;
  /** The schedule fires twice, or fires a run that has no need of it. */
  doubleTick: number;
  /** A search by tags shows the world of some time ago. */
  unfound: number;
  /** GetKeyLastUsage does not know. */
  unknownUse: number;
  /** Others in the account use up the quota of an operation, or one key is hot, for some minutes. */
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

/** Who is called: looks and changes of KMS, the table, everything else. */
export type Medium = "observe" | "change" | "table" | "other";

/** One call's way: how long it stands before it is sent, travels, and travels back. */
export type PlannedFault = {
  /** Infinity: until the platform is about to end it. */
  stallMs: number;
  outMs: number;
  backMs: number;
  /** Where the process ends. */
  crash?: "before" | "after";
  /** Never applied. */
  lost?: boolean;
  /** Never answered. */
  unanswered?: boolean;
  /** Definitely not applied, and said so. */
  refused?: boolean;
  /** Applied once more, that much later; whether the sender hears of the first or of the second. */
  again?: { afterMs: number; hears: "first" | "second" };
};

export const prompt: PlannedFault = { stallMs: 0, outMs: 0, backMs: 0 };

/** Draws what happens. Once `on` is false nothing does; the draws are made all the same. */
export class FaultPlan {
  on = true;
  /** After so many faults there are no more: to find the shortest history that still fails. */
  faultsMax = Infinity;
  /** In place of what is drawn: the fate of each call by its number, in the order of calls. */
  script: ((medium: Medium, name: string) => PlannedFault) | undefined;
  readonly injected: Partial<Record<FaultKind, number>> = {};
  readonly envelope: Envelope;
  /** How likely each is in this history. */
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

  /** How old the world is that one look shows. */
  lagMs(kind: "stale" | "unauthorized" | "unfound"): number {
    const { lagMs, tagLagMs } = this.envelope;
    return this.strikes(kind) ? this.between(0, kind === "unfound" ? tagLagMs : lagMs) : 0;
  }

  /** Most calls are over at once; at most one thing goes wrong with one. */
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
