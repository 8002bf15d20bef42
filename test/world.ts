/**
 * The production run in a world that a test can move, break and inspect: KMS twin, table twin, and a
 * clock that only the test moves.
 */
import { configurationHash, type Configuration } from "../lambda/configuration/configuration.ts";
import { RotationError } from "../lambda/errors.ts";
import { refusalsMark } from "../lambda/inbound/canary.ts";
import type { DueItem, JournalEntry, KeyService, Ports } from "../lambda/ports.ts";
import { answer, type Answer } from "../lambda/run/answer.ts";
import { run, type RunResult } from "../lambda/run/run.ts";
import type { RunOptions } from "../lambda/pass/context.ts";
import { readUseAttempt } from "../lambda/inbound/use-attempt.ts";
import type { Finding } from "../lambda/workflow/model/findings.ts";
import type { DrainWatch, ManagedKey } from "../lambda/workflow/model/types.ts";
import { SimClock } from "../embedded-aws/clock.ts";
import { cheapCryptography } from "../embedded-aws/kms/cheap-cryptography.ts";
import { KmsTwin } from "../embedded-aws/kms/twin.ts";
import { createDiscoveryTwin, createKeyServiceTwin } from "../sim/ports/keys.ts";
import { createTableTwin, type TableTwin } from "../sim/ports/table.ts";
import { SimRandom } from "../embedded-aws/random.ts";
import { canaryEvent, dayMs, minuteMs } from "./fixtures.ts";
import { Approver } from "./approver.ts";
import { intercepted, type Intercept } from "./faults.ts";
import { RefusedTrail } from "./histories/refused-trail.ts";
import { configurationOf, type WorldOptions } from "./histories/world-options.ts";
import { listener } from "./listener.ts";

export type { WorldOptions };

export const startMs = Date.UTC(2027, 0, 1);
export const keyturnArn = "arn:aws:iam::000000000000:role/keyturn";
const personArn = "arn:aws:iam::000000000000:user/person";
const tickEveryMs = 5 * minuteMs;
const runLimitMs = 5 * minuteMs;

/** A run that died: the world answers none of its later calls. */
export class Died extends Error {
  override readonly name = "Died";
}

export class World {
  readonly clock = new SimClock({ startMs });
  readonly kms: KmsTwin;
  readonly table: TableTwin = createTableTwin();
  readonly events: JournalEntry[] = [];
  readonly reported: { alias: string; finding: Finding }[] = [];
  readonly errors: unknown[] = [];
  /** The operations of KMS that keyturn called. */
  readonly calls: string[] = [];
  /** The CloudTrail events of attempts to use a disabled key. */
  readonly attempts: unknown[] = [];
  /** How long after a refused call its event reaches the queue. */
  eventDelayMs = minuteMs;
  configuration: Configuration;
  /** Set by a test to break calls between a run and the world. */
  intercept: Intercept | undefined;
  /** A check that a test makes after every run. */
  afterRun: (() => Promise<void>) | undefined;
  /** Calls that take effect later than they were sent; see `pass`. */
  readonly underWay: { atMs: number; land: () => Promise<unknown> }[] = [];
  readonly #approves: boolean;
  readonly #approver = new Approver();
  readonly #searchesDaily: boolean;
  readonly #drainWatch: DrainWatch;
  readonly refusalsWatch: DrainWatch;
  readonly #refused: RefusedTrail;
  #ids = 0;
  #deployed = false;

  constructor(options: WorldOptions = {}) {
    const { clock } = this;
    this.#approves = options.approves ?? true;
    this.#searchesDaily = options.searchesDaily ?? false;
    this.#drainWatch = options.drainWatch ?? "none";
    this.refusalsWatch = options.refusalsWatch ?? "none";
    this.#refused = new RefusedTrail(this.table, () => clock.nowMs());
    this.kms = new KmsTwin({
      clock,
      random: new SimRandom(1),
      cryptography: cheapCryptography,
      quotas: "off",
      lastUsePrecisionMs: 1000,
      ...(options.lastUsageLagMs === undefined ? {} : { lastUsageLagMs: options.lastUsageLagMs }),
      ...(options.keyQuota === undefined ? {} : { keyQuota: options.keyQuota }),
    });
    this.kms.onCall = ({ operation, principalArn }) => {
      if (principalArn === keyturnArn) this.calls.push(operation);
    };
    this.kms.onUseAttempt = (event) => void this.attempts.push(event);
    this.kms.onRefusedUse = (event) => this.#refused.record(event, this.eventDelayMs);
    this.configuration = configurationOf(options);
  }

  /** An operator or an application calls KMS. */
  async ask<T = Record<string, unknown>>(operation: string, input: object): Promise<T> {
    return (await this.kms.call(operation, input, { principalArn: personArn })) as T;
  }

  /** The second function takes what has reached its queue. */
  async collectRefused(): Promise<void> {
    if (this.refusalsWatch !== "none") await this.#refused.collect();
  }

  ports(): Ports {
    const twin = createKeyServiceTwin(this.kms, this.clock, keyturnArn);
    const keys: KeyService = {
      ...twin,
      canary: async (keyId, mark) => {
        await twin.canary(keyId, mark);
        if (mark === refusalsMark)
          this.#refused.record(canaryEvent(this.clock.nowMs()), this.eventDelayMs);
      },
    };
    const discovery = createDiscoveryTwin(this.kms);
    const events = {
      publish: (entries: JournalEntry[]) => {
        this.events.push(...entries);
        return Promise.resolve();
      },
    };
    const through = <T extends object>(port: string, real: T): T =>
      intercepted(port, real, () => this.intercept);
    return {
      keys: through("keys", keys),
      discovery: through("discovery", discovery),
      table: through("table", this.table),
      events: through("events", events),
      clock: {
        nowMs: () => this.clock.nowMs(),
        sleep: (ms) => {
          this.clock.advance(Math.ceil(ms));
          return Promise.resolve();
        },
      },
      chance: { next: () => 0.5, id: () => `id-${String(++this.#ids).padStart(6, "0")}` },
    };
  }

  /** One run, as the schedule starts it. */
  tick(): Promise<RunResult> {
    return run(this.#options());
  }

  /** An operator writes a request; the next run finds it. */
  request(kind: string, fields: Record<string, unknown> = {}, alias = "alias/orders"): string {
    const id = `request-${String(++this.#ids).padStart(6, "0")}`;
    const known = fields.by === undefined ? { by: "ada" } : {};
    this.table.ask(alias, id, { kind, ...known, ...fields });
    return id;
  }

  /** An operator writes a request, and the schedule starts a run. */
  async asks(kind: string, fields: Record<string, unknown> = {}): Promise<void> {
    this.request(kind, fields);
    await this.tick();
  }

  /** CloudTrail reports an attempt to use a disabled key. */
  async deliver(event: unknown): Promise<Answer[]> {
    const reading = readUseAttempt(event);
    if (reading.kind === "canary") await this.table.heard(reading.atMs);
    if (reading.kind !== "attempt") return [];
    const answers: Answer[] = [];
    for (const attempt of reading.attempts) {
      answers.push(await answer(this.#options(), attempt, new Map()));
    }
    return answers;
  }

  #options(): RunOptions {
    return {
      ports: this.ports(),
      telemetry: listener(this.reported, this.errors),
      configuration: this.configuration,
      configurationHash: configurationHash(this.configuration),
      configurationApplied: false,
      quotaShare: 1,
      drainWatch: this.#drainWatch,
      refusalsWatch: this.refusalsWatch,
      deadlineMs: this.clock.nowMs() + runLimitMs,
    };
  }

  /** Time passes, and the schedule starts a run whenever an item is due. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.nowMs() + ms;
    if (!this.#deployed) await this.#deploy();
    for (;;) {
      const { items } = await this.table.due(untilMs, 1000);
      const timesMs = items.flatMap((item) => (this.#wakes(item) ? [item.dueAtMs] : []));
      const dueMs = Math.max(Math.min(...timesMs), this.clock.nowMs() + 1);
      const tickMs = Math.ceil((dueMs - startMs) / tickEveryMs) * tickEveryMs + startMs;
      if (timesMs.length === 0 || tickMs > untilMs) break;
      await this.#landUntil(tickMs);
      this.clock.moveTo(Math.max(tickMs, this.clock.nowMs()));
      await this.tick().catch((error: unknown) => {
        if (!(error instanceof Died || error instanceof RotationError)) throw error;
      });
      await this.afterRun?.();
      await this.approveDeletions();
    }
    await this.#landUntil(untilMs);
    this.clock.moveTo(Math.max(untilMs, this.clock.nowMs()));
  }

  /** An operator approves of what a policy deletes, unless a test says otherwise. */
  async approveDeletions(): Promise<void> {
    if (!this.#approves) return;
    for (const { alias } of this.configuration.managedKeys) {
      const record = (await this.table.read(alias))?.record;
      if (record === undefined) continue;
      for (const { kind, ...fields } of this.#approver.requests(record.versions, record.findings)) {
        this.request(kind, fields, alias);
      }
    }
  }

  /** A run for the daily tag search alone would slow every test: the next run makes the search. */
  #wakes(item: DueItem): item is Exclude<DueItem, { kind: "configuration" }> {
    if (item.kind === "chore" && item.chore === "tag-search") return this.#searchesDaily;
    return item.kind !== "configuration";
  }

  /** Starts runs until one has applied the configuration. */
  async #deploy(): Promise<void> {
    while (!this.#deployed) {
      const done = await this.tick().catch((error: unknown) => {
        if (!(error instanceof Died || error instanceof RotationError)) throw error;
      });
      this.#deployed = done?.configurationApplied === true;
      this.clock.advance(tickEveryMs);
    }
  }

  async #landUntil(untilMs: number): Promise<void> {
    for (;;) {
      const next = this.underWay.findIndex(({ atMs }) => atMs <= untilMs);
      const [late] = next < 0 ? [] : this.underWay.splice(next, 1);
      if (late === undefined) return;
      this.clock.moveTo(Math.max(late.atMs, this.clock.nowMs()));
      await late.land().catch(() => undefined);
    }
  }

  /** Passes days, the unit of a rotation's waits. */
  passDays(days: number): Promise<void> {
    return this.pass(days * dayMs);
  }

  async record(alias = "alias/orders"): Promise<ManagedKey> {
    const stored = await this.table.read(alias);
    if (stored === undefined) throw new Error(`no record of ${alias}`);
    return stored.record;
  }

  async findings(alias = "alias/orders"): Promise<string[]> {
    return (await this.record(alias)).findings.map(({ code }) => code);
  }

  history(alias = "alias/orders"): string[] {
    return this.table.journal(alias).map(({ event }) => event);
  }

  async targetOf(alias: string): Promise<string> {
    const answer = await this.ask<{ KeyMetadata: { KeyId: string } }>("DescribeKey", {
      KeyId: alias,
    });
    return answer.KeyMetadata.KeyId;
  }

  async stateOf(keyId: string): Promise<string> {
    try {
      const answer = await this.ask<{ KeyMetadata: { KeyState: string } }>("DescribeKey", {
        KeyId: keyId,
      });
      return answer.KeyMetadata.KeyState;
    } catch (error) {
      if (error instanceof Error && error.name === "NotFoundException") return "deleted";
      throw error;
    }
  }
}

/** A world in which the first version of every managed key exists and is behind its aliases. */
export async function aWorld(options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  const keys = options.keys ?? { "alias/orders": {} };
  for (const { alias, aliases } of world.configuration.managedKeys) {
    const made = await world.ask<{ KeyMetadata: { KeyId: string } }>(
      "CreateKey",
      keys[alias] ?? {},
    );
    const TargetKeyId = made.KeyMetadata.KeyId;
    for (const AliasName of aliases) await world.ask("CreateAlias", { AliasName, TargetKeyId });
  }
  return world;
}
