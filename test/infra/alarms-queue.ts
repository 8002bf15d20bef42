/**
 * The queue of refused uses and the second function's code beside a deployment in the test world, and
 * their metrics.
 *
 * - SQS hides a message for the visibility timeout after each attempt. The age of the oldest message
 *   counts messages in flight, and leaves out those that were received three times (developer guide,
 *   sqs-available-cloudwatch-metrics). Once a minute.
 * - Lambda polls at once, and gathers a batch for the batching window.
 */
import { Collector } from "../../lambda/refusals/collect.ts";
import { minuteMs, secondMs } from "../fixtures.ts";
import { keyturnArn } from "../world.ts";
import type { Running } from "./alarms-deployment.ts";
import { names } from "./alarms-proof.ts";

const windowMs = 20 * secondMs;
const hiddenMs = 380 * secondMs;
const receivesMax = 10;
/** Messages that were received this often have no part in the age. */
const poison = 3;

type Message = { id: string; body: string; sentMs: number; receives: number; visibleMs: number };

export class RefusedUsesQueue {
  /** What the second function does; `off`: Lambda does not poll. */
  mode: "works" | "crashes" | "off" = "works";
  readonly #running: Running;
  readonly #collector: Collector;
  #messages: Message[] = [];
  #sent = 0;

  constructor(running: Running) {
    const { world } = running;
    this.#running = running;
    this.#collector = new Collector(
      world.ports().table,
      () => world.clock.nowMs(),
      (alias) => alias,
    );
  }

  send(event: unknown): void {
    const sentMs = this.#running.world.clock.nowMs();
    const id = `message-${(this.#sent += 1)}`;
    const visibleMs = sentMs + windowMs;
    this.#messages.push({ id, body: JSON.stringify(event), sentMs, receives: 0, visibleMs });
  }

  /** Time passes, in whole minutes. */
  async pass(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += minuteMs) {
      await this.#poll();
      this.#emitAge();
      await this.#running.pass(minuteMs);
    }
  }

  async #poll(): Promise<void> {
    if (this.mode === "off") return;
    const nowMs = this.#running.world.clock.nowMs();
    const batch = this.#messages.filter(({ visibleMs }) => visibleMs <= nowMs);
    if (batch.length === 0) return;
    for (const message of batch) {
      message.receives += 1;
      message.visibleMs = nowMs + hiddenMs;
    }
    const failed = this.mode === "crashes" ? batch.map(({ id }) => id) : await this.#collect(batch);
    this.#put("AWS/Lambda", "Errors", this.mode === "crashes" ? 1 : 0);
    this.#messages = this.#messages.filter(
      ({ id, receives, visibleMs }) =>
        visibleMs !== nowMs + hiddenMs || (failed.includes(id) && receives < receivesMax),
    );
  }

  async #collect(batch: Message[]): Promise<string[]> {
    const [, , , , accountId = "", name = ""] = keyturnArn.split(":");
    const home = { accountId, region: "us-east-1", roleName: name.replace("role/", "") };
    return (await this.#collector.collect(batch, home)).failed;
  }

  #emitAge(): void {
    const nowMs = this.#running.world.clock.nowMs();
    const counted = this.#messages.filter(({ receives }) => receives < poison);
    const oldestMs = Math.min(nowMs, ...counted.map(({ sentMs }) => sentMs));
    this.#put("AWS/SQS", "ApproximateAgeOfOldestMessage", (nowMs - oldestMs) / secondMs);
  }

  #put(namespace: "AWS/Lambda" | "AWS/SQS", metricName: string, value: number): void {
    const { functionName, queueName } = names.refusedUses;
    const dimensions: Record<string, string> =
      namespace === "AWS/SQS" ? { QueueName: queueName } : { FunctionName: functionName };
    const atMs = this.#running.world.clock.nowMs();
    this.#running.store.put({ namespace, metricName, dimensions, value, atMs });
  }
}
