/** The deployed second function: a queue, batches, processes that crash, and messages that come again. */
import { Collector, type Collected, type Message } from "../../lambda/refusals/collect.ts";
import { RotationError } from "../../lambda/errors.ts";
import { portsOf, type Outside } from "./ports.ts";
import { Sandbox } from "./sandbox.ts";

const minuteMs = 60_000;
/** The deployed settings: the batching window, the timeout, and the queue's visibility timeout. */
const windowMs = 20_000;
const limitMs = minuteMs;
const visibilityMs = 6 * minuteMs;
const batchMax = 1000;
const processesMax = 2;

type Process = { sandbox: Sandbox; collector: Collector };

export class RefusalsFunction {
  readonly #outside: Outside;
  readonly #bug: (error: unknown) => void;
  #queue: Message[] = [];
  #processes: Process[] = [];
  #made = 0;
  #isWaiting = false;
  #messages = 0;

  constructor(outside: Outside, bug: (error: unknown) => void) {
    this.#outside = outside;
    this.#bug = bug;
  }

  deliver(event: unknown): void {
    this.#put({ id: `message-${(this.#messages += 1)}`, body: JSON.stringify(event) });
  }

  #put(message: Message): void {
    this.#queue.push(message);
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#outside.engine.after(windowMs, () => {
      this.#isWaiting = false;
      this.#invoke();
    });
  }

  #invoke(): void {
    const batch = this.#queue.splice(0, batchMax);
    const free = this.#process();
    if (batch.length === 0) return;
    if (free === undefined) return this.#later(batch);
    const { sandbox, collector } = free;
    let collected: Collected | undefined;
    const work = async (): Promise<void> => {
      try {
        collected = await collector.collect(batch, {});
      } catch (error) {
        this.#bug(error);
        throw error;
      }
      if (collected.error !== undefined && !(collected.error instanceof RotationError)) {
        this.#bug(collected.error);
      }
    };
    sandbox.invoke(work, limitMs, (outcome) => {
      const failed = outcome === "returned" ? (collected?.failed ?? []) : batch.map(({ id }) => id);
      this.#later(batch.filter(({ id }) => failed.includes(id)));
    });
  }

  #later(messages: Message[]): void {
    if (messages.length === 0) return;
    this.#outside.engine.after(visibilityMs, () => messages.forEach((one) => this.#put(one)));
  }

  #process(): Process | undefined {
    this.#processes = this.#processes.filter(({ sandbox }) => sandbox.isAlive);
    const idle = this.#processes.find(({ sandbox }) => sandbox.isIdle);
    if (idle !== undefined) return idle;
    if (this.#processes.length >= processesMax) return undefined;
    const sandbox = new Sandbox(this.#outside.engine, `collector-${(this.#made += 1)}`, 0);
    const { table, clock } = portsOf(sandbox, this.#outside);
    const collector = new Collector(
      table,
      () => clock.nowMs(),
      (alias) => alias,
    );
    const made = { sandbox, collector };
    this.#processes.push(made);
    return made;
  }
}
