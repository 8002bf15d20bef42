/** One managed key on its own stage, with keyturn, the application and an operator. */
import {
  DecryptCommand,
  EncryptCommand,
  ReEncryptCommand,
  type KMSClient,
} from "@aws-sdk/client-kms";
import { createTable } from "../lambda/aws/dynamodb.ts";
import { readEnvironment } from "../lambda/configuration/environment.ts";
import { createFunction, type Result } from "../lambda/function.ts";
import type { DueItem } from "../lambda/ports.ts";
import type { ManagedKey } from "../lambda/workflow/model/types.ts";
import { SimRandom } from "../embedded-aws/random.ts";
import { approve, deletionsIn } from "./approver.ts";
import { minuteMs } from "./fleet.ts";
import { contextOf } from "./keyturn.ts";
import { isRead, Observer } from "./observer.ts";
import { writeRequest } from "./request-item.ts";
import { tableName, type Stage } from "./stage.ts";
import type { Entry } from "./timeline.ts";

export const alias = "alias/orders";
const scheduleMs = 5 * minuteMs;

type Handler = (event?: unknown) => Promise<Result>;

export class OneKey {
  readonly observer: Observer;
  /** The deployed function in mode act, and in mode plan: two configurations, one table. */
  readonly acts: Handler;
  readonly plans: Handler;
  readonly #stage: Stage;
  readonly #print: (entry: Entry) => void;
  readonly #table = createTable(tableName);
  readonly #application: KMSClient;
  readonly #blobs: Uint8Array[] = [];
  readonly #approved = new Set<string>();
  #requests = 0;

  constructor(stage: Stage, seed: number, print: (entry: Entry) => void) {
    this.#stage = stage;
    this.#print = print;
    this.observer = new Observer(stage.aws.kms);
    this.#application = stage.kmsAs("application");
    const environment = readEnvironment(process.env);
    const random = new SimRandom(seed + 3);
    const outside = {
      clock: { nowMs: () => stage.clock.nowMs(), sleep: (ms: number) => stage.sleep(ms) },
      chance: { next: () => random.next(), id: () => random.uuid() },
    };
    const acting = createFunction(environment, outside);
    const configuration = { ...environment.configuration, mode: "plan" as const };
    const planning = createFunction({ ...environment, configuration }, outside);
    this.acts = (event = {}) => acting(event, contextOf());
    this.plans = (event = {}) => planning(event, contextOf());
  }

  /** The number of items that the application keeps. */
  items(): number {
    return this.#blobs.length;
  }

  /** Runs keyturn by its schedule until the record satisfies `isSo`. */
  async until(isSo: (record: ManagedKey) => boolean, handler = this.acts): Promise<void> {
    for (let runs = 0; runs < 2000; runs++) {
      if (isSo(await this.record())) return;
      await this.#next(handler, Number.MAX_SAFE_INTEGER);
    }
    throw new Error(`${alias} did not reach the expected state in 2000 runs`);
  }

  async pass(handler: Handler, ms: number): Promise<void> {
    const untilMs = this.#stage.clock.nowMs() + ms;
    while (await this.#next(handler, untilMs));
    this.#stage.clock.moveTo(untilMs);
  }

  async #next(handler: Handler, untilMs: number): Promise<boolean> {
    const { clock } = this.#stage;
    const { items } = await this.#table.due(Number.MAX_SAFE_INTEGER, 20);
    // Runs with only the daily search for tags are skipped: they would slow the demo down.
    const dueMs = items.flatMap((item) =>
      item.kind === "managed-key" || item.kind === "request" || isAudit(item) ? [item.dueAtMs] : [],
    );
    const atMs =
      Math.ceil(Math.max(Math.min(...dueMs), clock.nowMs() + 1) / scheduleMs) * scheduleMs;
    if (atMs > untilMs) return false;
    clock.moveTo(atMs);
    await handler();
    await this.#approve();
    return true;
  }

  /** An operator approves each deletion that a finding asks for, once. */
  async #approve(): Promise<void> {
    for (const { code, observed } of (await this.record()).findings) {
      if (code !== "APPROVAL_REQUIRED" || this.#approved.has(observed)) continue;
      this.#approved.add(observed);
      for (const deletion of deletionsIn(observed)) {
        await approve(alias, `approval-${String(this.#approved.size).padStart(4, "0")}`, deletion);
        const why = "no backup and no other account needs it";
        this.narrate("operator", `approves the deletion of v${deletion.version}`, why);
      }
    }
  }

  async record(): Promise<ManagedKey> {
    const stored = await this.#table.read(alias);
    if (stored === undefined) throw new Error(`no record of ${alias}`);
    return stored.record;
  }

  async ask(kind: string, fields: { version?: number }, why: string): Promise<void> {
    const sk = `request-${String((this.#requests += 1)).padStart(4, "0")}`;
    await writeRequest(alias, sk, { kind, ...fields });
    const of = fields.version === undefined ? "" : ` of v${fields.version}`;
    this.narrate("operator", `requests a ${kind}${of} with an item in the table`, why);
    await this.#next(this.acts, Number.MAX_SAFE_INTEGER);
  }

  async encrypt(): Promise<void> {
    const Plaintext = Buffer.from(`item ${this.#blobs.length}`);
    const answer = await this.#application.send(new EncryptCommand({ KeyId: alias, Plaintext }));
    if (answer.CiphertextBlob !== undefined) this.#blobs.push(answer.CiphertextBlob);
  }

  async encryptAnew(): Promise<void> {
    for (const [index, CiphertextBlob] of this.#blobs.entries()) {
      const command = new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: alias });
      const answer = await this.#application.send(command);
      if (answer.CiphertextBlob !== undefined) this.#blobs[index] = answer.CiphertextBlob;
    }
  }

  async unreadable(): Promise<string[]> {
    const lost: string[] = [];
    for (const [index, CiphertextBlob] of this.#blobs.entries()) {
      await this.#application
        .send(new DecryptCommand({ CiphertextBlob }))
        .catch((error: unknown) => {
          lost.push(`item ${index}: ${error instanceof Error ? error.name : String(error)}`);
        });
    }
    return lost;
  }

  async writesDuring(what: () => Promise<void>): Promise<number> {
    let writes = 0;
    this.#stage.aws.fault = (service, operation) => {
      if (service === "dynamodb" && /^(Put|Update|Delete|BatchWrite|TransactWrite)/.test(operation))
        writes += 1;
      return undefined;
    };
    await what();
    this.#stage.aws.fault = undefined;
    return writes;
  }

  /** The changing calls, in order. */
  async changesDuring(what: () => Promise<void>): Promise<string[]> {
    const calls: string[] = [];
    const { kms } = this.#stage.aws;
    const { onCall } = kms;
    kms.onCall = (call) => {
      if (!isRead(call.operation)) calls.push(call.operation);
      onCall?.(call);
    };
    await what();
    kms.onCall = onCall;
    return calls;
  }

  narrate(who: Entry["who"], what: string, why?: string): void {
    const atMs = this.#stage.clock.nowMs();
    this.#print({ atMs, who, aliases: [alias], what, ...(why === undefined ? {} : { why }) });
  }
}

function isAudit(item: DueItem): item is Extract<DueItem, { kind: "chore" }> {
  return item.kind === "chore" && item.chore === "audit";
}
