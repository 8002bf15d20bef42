/** The way of refused uses in the test world: events that take a while, and the second function's collector. */
import type { EmbeddedAws } from "../../embedded-aws/embedded-aws.ts";
import { Collector } from "../../lambda/refusals/collect.ts";
import type { RefusedUses, Table } from "../../lambda/ports.ts";
import { canaryEvent, dayMs } from "../fixtures.ts";

export class RefusedTrail {
  readonly #nowMs: () => number;
  readonly #collector: Collector;
  #events: { atMs: number; event: unknown }[] = [];

  constructor(table: Pick<Table, "boundTo" | "read"> & RefusedUses, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#collector = new Collector(table, nowMs, (alias) => alias);
  }

  record(event: unknown, delayMs: number): void {
    this.#events.push({ atMs: this.#nowMs() + delayMs, event });
  }

  /** The second function takes what has reached its queue. */
  async collect(): Promise<void> {
    const isThere = ({ atMs }: { atMs: number }): boolean => atMs <= this.#nowMs();
    const messages = this.#events.filter(isThere).map(({ event }, index) => {
      return { id: `message-${index}`, body: JSON.stringify(event) };
    });
    this.#events = this.#events.filter((one) => !isThere(one));
    if (messages.length === 0) return;
    const { failed, error } = await this.#collector.collect(messages, {});
    if (failed.length > 0) throw error;
  }
}

type Aws = Pick<EmbeddedAws, "clock" | "refusedUses">;

/** The way from the embedded AWS: at once, with a canary a day. */
export class Trail {
  readonly #aws: Aws;
  readonly #collect: (events: unknown[]) => Promise<unknown>;
  #delivered = 0;
  #canaryAtMs = 0;
  isOn = true;

  constructor(aws: Aws, collect: (events: unknown[]) => Promise<unknown>) {
    this.#aws = aws;
    this.#collect = collect;
  }

  /** Delivers the events since the last time. */
  async deliver(): Promise<void> {
    if (!this.isOn) return;
    const { clock, refusedUses } = this.#aws;
    const events: unknown[] = refusedUses.slice(this.#delivered);
    this.#delivered = refusedUses.length;
    if (clock.nowMs() >= this.#canaryAtMs + dayMs) {
      this.#canaryAtMs = clock.nowMs();
      events.push(canaryEvent(this.#canaryAtMs));
    }
    if (events.length > 0) await this.#collect(events);
  }
}
