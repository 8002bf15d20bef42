/**
 * CloudTrail and EventBridge, for refused uses and for changes: events come late, twice, or are lost; a trail is off
 * for days; others send events of their own making. It has random numbers of its own.
 */
import { refusalsMark } from "../../lambda/inbound/canary.ts";
import { SimRandom } from "../../embedded-aws/random.ts";
import type { Engine } from "./engine.ts";
import type { Arrival } from "./lockout.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export type Delivery = {
  /** The longest delay of an event. */
  delayMs: number;
  lost: number;
  /** From when to when, after the start, no event arrives. */
  off?: { afterMs: number; forMs: number };
};

export class Trail {
  /** The arrival of the last event. */
  last: Arrival | undefined;
  readonly #engine: Engine;
  readonly #random: SimRandom;
  readonly #delivery: Delivery;
  readonly #startMs: number;
  readonly #deliver: (event: unknown) => void;
  readonly #arrivals = new WeakMap<object, Arrival>();

  constructor(engine: Engine, seed: number, delivery: Delivery, deliver: (event: unknown) => void) {
    this.#engine = engine;
    this.#random = new SimRandom(seed ^ 0x2545f491);
    this.#delivery = delivery;
    this.#startMs = engine.nowMs();
    this.#deliver = deliver;
  }

  /** An event of a refused use, or of a change. */
  record(event: object): void {
    this.last = this.#arrivalOf();
    this.#arrivals.set(event, this.last);
    if (this.last.kind !== "delivered") return;
    this.#arrive(event, this.last.atMs);
    if (this.#random.next() < 0.2) this.#arrive(event, this.last.atMs + this.#delayMs());
    if (this.#random.next() < 0.05) this.#arrive(this.#forged(event), this.last.atMs);
  }

  /** Every invocation with the event failed: it is in the dead-letter queue. */
  died(event: unknown): void {
    const arrival = this.#arrivals.get(event as object);
    if (arrival !== undefined) Object.assign(arrival, { kind: "lost" });
  }

  /** A DescribeKey with the mark of the canary. */
  canary(mark: string): void {
    if (mark !== refusalsMark || this.#offSinceMs() !== undefined) return;
    const event = canaryEvent(mark, this.#engine.nowMs());
    this.#arrive(event, this.#engine.nowMs() + this.#delayMs());
  }

  #arrivalOf(): Arrival {
    const sinceMs = this.#offSinceMs();
    if (sinceMs !== undefined) return { kind: "off", sinceMs };
    if (this.#random.next() < this.#delivery.lost) return { kind: "lost" };
    return { kind: "delivered", atMs: this.#engine.nowMs() + this.#delayMs() };
  }

  #delayMs(): number {
    return minuteMs + Math.floor(this.#random.next() * (this.#delivery.delayMs - minuteMs));
  }

  #offSinceMs(): number | undefined {
    const { off } = this.#delivery;
    if (off === undefined) return undefined;
    const sinceMs = this.#startMs + off.afterMs;
    const nowMs = this.#engine.nowMs();
    return nowMs >= sinceMs && nowMs < sinceMs + off.forMs ? sinceMs : undefined;
  }

  #arrive(event: unknown, atMs: number): void {
    this.#engine.at(atMs, () => this.#deliver(event));
  }

  /** Something like an event: an old time, a far one, or no event at all. */
  #forged(event: unknown): unknown {
    const choice = Math.floor(this.#random.next() * 3);
    if (choice === 0) return "not an event";
    const { detail, ...rest } = event as { detail: object };
    const atMs = this.#engine.nowMs() + (choice === 1 ? -1 : 1) * 1000 * hourMs;
    return { ...rest, detail: { ...detail, eventTime: new Date(atMs).toISOString() } };
  }
}

/** CloudTrail's event of a canary that was sent at this time. */
export function canaryEvent(mark: string, atMs: number): unknown {
  const eventTime = `${new Date(atMs).toISOString().slice(0, 19)}Z`;
  const call = { eventSource: "kms.amazonaws.com", eventName: "DescribeKey" };
  return {
    source: "aws.kms",
    "detail-type": "AWS API Call via CloudTrail",
    detail: { ...call, eventTime, userAgent: `aws-sdk-js/3 ${mark}` },
  };
}
