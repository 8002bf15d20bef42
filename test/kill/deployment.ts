/**
 * A deployment for kills: the production run against the embedded AWS, on a manual clock. Most
 * ticks run in this process; the tick to kill is `cli/tick.ts`, in its own process.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { createState, type StateReader } from "../../lambda/aws/dynamodb-reading.ts";
import { createTaggingDiscovery } from "../../lambda/aws/discovery.ts";
import { createTable } from "../../lambda/aws/dynamodb.ts";
import { createEvents } from "../../lambda/aws/eventbridge.ts";
import { createKeyService } from "../../lambda/aws/kms.ts";
import { readConfiguration, type Configuration } from "../../lambda/configuration/configuration.ts";
import type { Ports } from "../../lambda/ports.ts";
import { createService } from "../../lambda/service.ts";
import type { Telemetry } from "../../lambda/telemetry/telemetry.ts";
import { ClaimLost } from "../../lambda/pass/write.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import { startEmbeddedAws, type EmbeddedAws } from "../../embedded-aws/embedded-aws.ts";
import { cheapCryptography } from "../../embedded-aws/kms/cheap-cryptography.ts";
import { Approver } from "../approver.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { personArn, useKey, type Product } from "./application.ts";
import type { History } from "./history.ts";

export const tableName = "keyturn";
export const startMs = Date.UTC(2027, 0, 1);
const runLimitMs = minuteMs;

/** The intervals of scheduled runs, and of uses of each alias. */
const tickEveryMs = 5 * minuteMs;
const useEveryMs = 6 * dayMs;

export class Deployment {
  readonly aws: EmbeddedAws;
  readonly history: History;
  readonly configuration: Configuration;
  readonly configurationPath: string;
  readonly dynamoDb: DynamoDB;
  readonly products: Product[] = [];
  /** The errors before the end, independent of the end state. */
  readonly complaints: string[] = [];
  lastTickMs = -Infinity;
  lastUseMs = startMs + hourMs - useEveryMs;
  readonly #ports: Ports;
  readonly #state: StateReader;
  readonly #directory: string;
  #ids = 0;

  private constructor(aws: EmbeddedAws, history: History) {
    this.aws = aws;
    this.history = history;
    const document = JSON.stringify(history.document);
    this.configuration = readConfiguration(document);
    this.#directory = mkdtempSync(join(tmpdir(), "keyturn-kill-"));
    this.configurationPath = join(this.#directory, "config.json");
    writeFileSync(this.configurationPath, document);
    const sdk = {
      endpoint: aws.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "keyturn", secretAccessKey: "keyturn" },
    };
    this.dynamoDb = new DynamoDB(sdk);
    const clock = {
      nowMs: () => aws.clock.nowMs(),
      sleep: (ms: number) => {
        aws.clock.advance(Math.ceil(ms));
        return Promise.resolve();
      },
    };
    this.#state = createState(tableName, sdk);
    this.#ports = {
      keys: createKeyService(clock, sdk),
      discovery: createTaggingDiscovery(sdk),
      table: createTable(tableName, sdk),
      events: createEvents("default", sdk),
      clock,
      chance: { next: () => 0.5, id: () => `${aws.port}-${(this.#ids += 1)}` },
    };
  }

  /** An account with an empty table. `seed` makes its ids differ from those of others. */
  static async open(history: History, nowMs = startMs, seed = 1): Promise<Deployment> {
    const clock = new SimClock({ startMs: nowMs });
    const aws = await startEmbeddedAws({
      clock,
      seed,
      quotas: "off",
      cryptography: cheapCryptography,
    });
    await aws.createStateTable(tableName);
    const taggedKeys = aws.kms.taggedKeys.bind(aws.kms);
    aws.kms.taggedKeys = () =>
      taggedKeys().filter(
        ({ createdAtMs }) => createdAtMs + history.tagsFoundAfterMs <= clock.nowMs(),
      );
    return new Deployment(aws, history);
  }

  get nowMs(): number {
    return this.aws.clock.nowMs();
  }

  /** A KMS call of an operator or an application. */
  ask<T = unknown>(operation: string, input: object): T {
    return this.aws.kms.call(operation, input, { principalArn: personArn }) as T;
  }

  /** One run in this process, without state from earlier runs. */
  async tick(): Promise<void> {
    const service = createService(this.#ports, this.#telemetry(), this.configuration, 1);
    await service.run(this.nowMs + runLimitMs);
  }

  /** Lets time pass: the schedule starts runs, the application uses its keys. */
  async passUntil(untilMs: number, tick = () => this.tick()): Promise<void> {
    for (;;) {
      const tickMs = await this.#nextTickMs(untilMs);
      const useMs = this.lastUseMs + useEveryMs;
      const nextMs = Math.min(tickMs, useMs);
      if (nextMs > untilMs) break;
      this.aws.clock.moveTo(Math.max(nextMs, this.nowMs));
      if (useMs <= tickMs) {
        this.#use();
      } else {
        this.lastTickMs = this.nowMs;
        await tick();
        this.#checkAliases();
        await this.#approve();
      }
    }
    this.aws.clock.moveTo(Math.max(untilMs, this.nowMs));
  }

  async close(): Promise<void> {
    this.dynamoDb.destroy();
    await this.aws.close();
    rmSync(this.#directory, { recursive: true });
  }

  /**
   * The schedule fires continuously, but only a run with something due does more than a query. A
   * due tag search alone waits for the next such run: it is daily, and finds nothing.
   */
  async #nextTickMs(untilMs: number): Promise<number> {
    const { items } = await this.#ports.table.due(untilMs, 1000);
    const applied = items.some(({ kind }) => kind === "configuration");
    const due = items.flatMap((item) => {
      const idle = item.kind === "chore" && item.chore === "tag-search";
      return item.kind === "configuration" || idle ? [] : [item.dueAtMs];
    });
    const soonestMs = applied ? Math.min(...due) : this.nowMs;
    const ticks = Math.ceil((Math.max(soonestMs, this.nowMs) - startMs) / tickEveryMs);
    return Math.max(startMs + ticks * tickEveryMs, this.lastTickMs + tickEveryMs);
  }

  /** An operator approves of each deletion that a finding asks for. The same one has the same id. */
  async #approve(): Promise<void> {
    for (const { alias } of this.configuration.managedKeys) {
      const record = (await this.#ports.table.read(alias))?.record;
      const approver = new Approver();
      for (const one of approver.requests(record?.versions ?? [], record?.findings ?? [])) {
        await this.#state.ask(alias, `approval-${one.evidence.slice(0, 32)}`, {
          ...one,
          by: "ada",
        });
      }
    }
  }

  #use(): void {
    this.lastUseMs += useEveryMs;
    for (const { alias } of this.configuration.managedKeys) {
      try {
        this.products.push(...useKey(this, alias));
      } catch (error) {
        this.complaints.push(`${alias} was unusable: ${String(error)}`);
      }
    }
  }

  #checkAliases(): void {
    const { keys, aliases } = this.aws.kms.world;
    for (const { name, keyId } of aliases.values()) {
      const state = keys.get(keyId)?.state ?? "deleted";
      if (state !== "Enabled") this.complaints.push(`I1: ${name} is on a key that is ${state}`);
    }
  }

  #telemetry(): Telemetry {
    return {
      transition: () => undefined,
      refused: ({ call, message }) => void this.complaints.push(`${call} refused: ${message}`),
      unanswered: ({ call }) => void this.complaints.push(`${call} had no response`),
      finding: (of, { code, observed }) => {
        if (code !== "APPROVAL_REQUIRED") this.complaints.push(`${of}: ${code}: ${observed}`);
      },
      failed: (of, error) => {
        if (!(error instanceof ClaimLost)) this.complaints.push(`${of} failed: ${String(error)}`);
      },
      rested: () => undefined,
      census: () => undefined,
      run: () => undefined,
      answered: () => undefined,
      changed: () => undefined,
      ignored: () => undefined,
    };
  }
}
