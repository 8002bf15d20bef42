/**
 * A deployment that runs on its schedule in the test world, and its metrics in CloudWatch: those of
 * the production telemetry, and a small model of those of Lambda and SQS.
 *
 * - Lambda (developer guide, monitoring-metrics-types): `Errors` and `Duration` of each invocation,
 *   with the timestamp of its start, available at its end. Lambda kills an invocation at its
 *   timeout: an error, without the function's own metrics. Lambda repeats a failed asynchronous
 *   invocation once, a minute later; its event then goes to the dead-letter queue
 *   (invocation-async-error-handling).
 * - SQS (developer guide, monitoring-using-cloudwatch): the number of messages once a minute, while
 *   the queue is in use; after six idle hours it emits nothing, and takes 15 minutes to start
 *   again.
 */
import { Logger } from "@aws-lambda-powertools/logger";
import type { Context } from "aws-lambda";
import type { Names } from "../../infra/alarm-model.ts";
import { createMetrics, createTelemetry } from "../../lambda/telemetry/powertools.ts";
import { createService } from "../../lambda/service.ts";
import type { DrainWatch } from "../../lambda/workflow/model/types.ts";
import type { World } from "../world.ts";
import { everyUnknown, MetricStore, minuteMs, statesOf, type Watched } from "./cloudwatch.ts";

const timeoutMs = 5 * minuteMs;
const idleMs = 6 * 60 * minuteMs;
const wakesUpMs = 15 * minuteMs;

type Change = { atMs: number; name: string; inAlarm: boolean };
type Emf = {
  _aws: {
    CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[];
  };
} & Record<string, unknown>;

type Options = { intervalMs?: number; store?: MetricStore; refusalsWatch?: DrainWatch };

export class Running {
  readonly store: MetricStore;
  readonly world: World;
  /** Whether the schedule's rule is enabled, and whether its events are delivered. */
  schedule: "on" | "off" | "undeliverable" = "on";
  deadLetters = 0;
  readonly invocations = { begun: 0, failed: 0 };
  readonly #names: Names;
  readonly #alarms: Watched[];
  /** One history for each undocumented behaviour. */
  readonly #histories: Change[][] = everyUnknown.map(() => []);
  readonly #invoke: (event: unknown, context: Context) => Promise<unknown>;
  #emitted: Emf[] = [];
  #evaluatedMs: number;
  #nextTickMs: number;
  #queueInUseMs: [fromMs: number, lastMs: number];

  readonly #intervalMs: number;

  constructor(
    world: World,
    alarms: Watched[],
    names: Names,
    { intervalMs = 5 * minuteMs, store = new MetricStore(), refusalsWatch = "none" }: Options = {},
  ) {
    this.world = world;
    this.#intervalMs = intervalMs;
    this.store = store;
    this.#alarms = alarms;
    this.#names = names;
    const nowMs = world.clock.nowMs();
    this.#evaluatedMs = nowMs;
    this.#nextTickMs = nowMs + intervalMs;
    this.#queueInUseMs = [nowMs, nowMs];
    const metrics = createMetrics(names.tableName);
    metrics.publishStoredMetrics = () => {
      this.#emitted.push(metrics.serializeMetrics());
      metrics.clearMetrics();
      return metrics;
    };
    const telemetry = createTelemetry(new Logger({ logLevel: "SILENT" }), metrics);
    const { configuration } = world;
    const watches = ["none", refusalsWatch] as const;
    const service = createService(world.ports(), telemetry, configuration, 1, ...watches);
    this.#invoke = async () => {
      try {
        await service.run(world.clock.nowMs() + timeoutMs);
      } finally {
        if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
      }
    };
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.world.clock.nowMs() + ms;
    while (this.#nextTickMs <= untilMs) {
      this.#timeTo(this.#nextTickMs);
      await this.world.collectRefused();
      if (this.schedule === "undeliverable") this.#lose();
      if (this.schedule === "on") await this.#deliver();
      this.#nextTickMs += this.#intervalMs;
    }
    this.#timeTo(untilMs);
  }

  /** An operator deletes the messages. */
  purge(): void {
    this.deadLetters = 0;
    this.#queueInUseMs[1] = this.world.clock.nowMs();
  }

  inAlarm(name: string): boolean {
    const states = this.#histories.map(
      (history) => history.findLast((change) => change.name === name)?.inAlarm ?? false,
    );
    const [state = false] = states;
    if (states.some((other) => other !== state))
      throw new Error(`${name}: the state depends on undocumented behaviour`);
    return state;
  }

  /** The alarms that were in ALARM at any time since then, under any undocumented behaviour. */
  alarmed(sinceMs: number): string[] {
    const before = this.#alarms.filter(({ name }) => this.#wasInAlarm(name, sinceMs));
    const since = this.#histories.flat().filter(({ atMs, inAlarm }) => inAlarm && atMs >= sinceMs);
    return [...new Set([...before, ...since].map(({ name }) => name))].sort();
  }

  /**
   * The latest possible time when it first went into ALARM since then; Infinity if possibly never.
   */
  wentOffAtMs(name: string, sinceMs: number): number {
    const snapshots = this.#histories.map((history) => {
      const change = history.find((one) => one.name === name && one.inAlarm && one.atMs >= sinceMs);
      return change?.atMs ?? Infinity;
    });
    return Math.max(...snapshots);
  }

  periodMs(name: string): number {
    const alarm = this.#alarms.find((one) => one.name === name);
    if (alarm === undefined) throw new Error(`no alarm ${name}`);
    return alarm.periodMs;
  }

  /** The largest possible number of state changes since then. */
  changes(name: string, sinceMs: number): number {
    const counts = this.#histories.map(
      (history) => history.filter((one) => one.name === name && one.atMs >= sinceMs).length,
    );
    return Math.max(...counts);
  }

  #wasInAlarm(name: string, atMs: number): boolean {
    return this.#histories.some(
      (history) =>
        history.findLast((change) => change.name === name && change.atMs <= atMs)?.inAlarm ?? false,
    );
  }

  async #deliver(): Promise<void> {
    if (await this.#run()) return;
    this.#timeTo(this.world.clock.nowMs() + minuteMs);
    if (!(await this.#run())) this.#lose();
  }

  #lose(): void {
    const nowMs = this.world.clock.nowMs();
    const [fromMs, lastMs] = this.#queueInUseMs;
    const wasIdle = this.deadLetters === 0 && nowMs - lastMs > idleMs;
    this.#queueInUseMs = [wasIdle ? nowMs + wakesUpMs : fromMs, nowMs];
    this.deadLetters += 1;
  }

  async #run(): Promise<boolean> {
    const { clock } = this.world;
    const startMs = clock.nowMs();
    this.invocations.begun += 1;
    const ended = await this.#invoke({}, {} as Context).then(
      () => true,
      () => false,
    );
    const lastedMs = clock.nowMs() - startMs;
    const isKilled = lastedMs >= timeoutMs;
    this.#timeTo(clock.nowMs());
    if (!isKilled) for (const emf of this.#emitted) this.#take(emf);
    this.#emitted = [];
    const failed = isKilled || !ended;
    if (failed) this.invocations.failed += 1;
    const dimensions = { FunctionName: this.#names.functionName };
    const put = (metricName: string, value: number): void =>
      this.store.put({ namespace: "AWS/Lambda", metricName, dimensions, value, atMs: startMs });
    put("Errors", failed ? 1 : 0);
    put("Duration", Math.min(lastedMs, timeoutMs));
    return !failed;
  }

  #take(emf: Emf): void {
    for (const { Namespace: namespace, Dimensions, Metrics } of emf._aws.CloudWatchMetrics) {
      for (const names of Dimensions) {
        const dimensions = Object.fromEntries(names.map((name) => [name, String(emf[name])]));
        for (const { Name: metricName } of Metrics) {
          const atMs = this.world.clock.nowMs();
          for (const value of [emf[metricName]].flat()) {
            this.store.put({ namespace, metricName, dimensions, value: Number(value), atMs });
          }
        }
      }
    }
  }

  /** Emits SQS's metric and evaluates the alarms, minute by minute. */
  #timeTo(ms: number): void {
    const { clock } = this.world;
    if (clock.nowMs() < ms) clock.moveTo(ms);
    while (this.#evaluatedMs + minuteMs <= ms) {
      this.#evaluatedMs += minuteMs;
      this.#emitQueueMetric(this.#evaluatedMs);
      this.#alarms.forEach((alarm) => this.#evaluate(alarm, this.#evaluatedMs));
    }
  }

  #emitQueueMetric(atMs: number): void {
    const [fromMs, lastMs] = this.#queueInUseMs;
    if (atMs < fromMs || (this.deadLetters === 0 && atMs - lastMs > idleMs)) return;
    const metricName = "ApproximateNumberOfMessagesVisible";
    const dimensions = { QueueName: this.#names.queueName };
    const value = this.deadLetters;
    this.store.put({ namespace: "AWS/SQS", metricName, dimensions, value, atMs: atMs - 1 });
  }

  #evaluate(alarm: Watched, atMs: number): void {
    const { name } = alarm;
    statesOf(alarm, this.store, atMs).forEach((inAlarm, index) => {
      const history = this.#histories[index];
      const before = history?.findLast((change) => change.name === name)?.inAlarm ?? false;
      if (inAlarm !== before) history?.push({ atMs, name, inAlarm });
    });
  }
}
