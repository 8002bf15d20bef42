/** The way of refused uses in the test world: events that take a while, and the second function's collector. */
import { Collector } from "../../lambda/refusals/collect.ts";
import type { RefusedUses, Table } from "../../lambda/ports.ts";

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
