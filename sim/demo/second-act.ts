/**
 * The second act: one key, and what people ask of it. A version is rolled back; a version that is out
 * of use is used, and comes back; and mode plan says what it would do, and does nothing.
 */
import { DecryptCommand, EncryptCommand, type KMSClient } from "@aws-sdk/client-kms";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { createTable } from "../../lambda/aws/dynamodb.ts";
import { readEnvironment } from "../../lambda/environment.ts";
import { createFunction, type Result } from "../../lambda/function.ts";
import type { DueItem } from "../../lambda/ports.ts";
import type { ManagedKey } from "../../lambda/workflow/types.ts";
import { SimRandom } from "../random.ts";
import { dayMs, minuteMs } from "./fleet.ts";
import { contextOf } from "./keyturn.ts";
import { isLook, Observer } from "./observer.ts";
import { check, type Check } from "./proof.ts";
import { openStage, tableName, turnTo, type Stage } from "./stage.ts";
import type { Entry } from "./timeline.ts";

const alias = "alias/orders";
const scheduleMs = 5 * minuteMs;
const copies = 100;

type Handler = (event?: unknown) => Promise<Result>;

export async function secondAct(
  { seed, startMs }: { seed: number; startMs: number },
  print: (entry: Entry) => void,
): Promise<Check[]> {
  const stage = await openStage({
    seed: seed + 2,
    keys: 1,
    startMs,
    port: 0,
    runsWithRealTime: false,
  });
  try {
    turnTo(stage);
    const act = new SecondAct(stage, seed, print);
    return [await act.rollBack(), await act.giveBack(), await act.plan(), act.alwaysUsable()];
  } finally {
    await stage.close();
  }
}

function isAudit(item: DueItem): item is Extract<DueItem, { kind: "chore" }> {
  return item.kind === "chore" && item.chore === "audit";
}

class SecondAct {
  readonly #stage: Stage;
  readonly #print: (entry: Entry) => void;
  readonly #observer: Observer;
  readonly #table = createTable(tableName);
  readonly #dynamoDb = new DynamoDBClient({});
  readonly #application: KMSClient;
  readonly #acts: Handler;
  readonly #plans: Handler;
  readonly #blobs: Uint8Array[] = [];
  #requests = 0;

  constructor(stage: Stage, seed: number, print: (entry: Entry) => void) {
    this.#stage = stage;
    this.#print = print;
    this.#observer = new Observer(stage.aws.kms);
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
    this.#acts = (event = {}) => acting(event, contextOf());
    this.#plans = (event = {}) => planning(event, contextOf());
  }

  async rollBack(): Promise<Check> {
    await this.#acts();
    await this.#encrypt();
    await this.#until(({ versions }) => versions[1]?.standing === "serving");
    await this.#encrypt();
    this.#tell("keyturn", "v2 serves; v1 drains", "rotated as in the first act");
    await this.#ask("rollback", { version: 2 }, "v2 is to give way: some reader cannot use it");
    await this.#until(({ versions }) => versions[0]?.standing === "serving");
    const unread = await this.#unreadable();
    const onFirst = (await this.#record()).versions[0]?.standing === "serving";
    this.#tell(
      "keyturn",
      "v1 serves again; v2 drains",
      "its label is off, seen Enabled twice, the aliases moved back",
    );
    await this.#ask("resume", {}, "the reader is mended");
    await this.#until(({ versions }) => versions[2]?.standing === "serving");
    this.#tell("keyturn", "v3 serves", "v1 was nearly at the end of its cryptoperiod");
    const problems = [...unread, ...(onFirst ? [] : ["version 1 did not come back"])];
    return check("a rollback loses nothing of what was made meanwhile", problems, "2 of 2 items");
  }

  async giveBack(): Promise<Check> {
    const { aws } = this.#stage;
    await this.#until(({ versions }) => versions[1]?.standing === "disabled");
    this.#tell("keyturn", "v1 and v2 are disabled, and watched", "they were quiet for two weeks");
    await this.#unreadable();
    const tried = "tries to decrypt what v1 and v2 encrypted, and is refused";
    this.#tell("application", tried);
    const outcomes: string[] = [];
    for (const event of aws.useAttempts) outcomes.push((await this.#acts(event)).outcome);
    const states = aws.kms.snapshot().keys.map(({ state }) => state);
    const isBack = states.every((state) => state === "Enabled") && !outcomes.includes("ignored");
    const told = "CloudTrail told of the attempts; it halts, and says who it was";
    this.#tell("keyturn", "both are Enabled again, in the same invocation", told);
    const [event] = aws.useAttempts;
    const writes = await this.#writesDuring(async () => {
      for (let count = 0; count < copies; count++) await this.#acts(event);
    });
    const unread = await this.#unreadable();
    await this.#ask("resume", {}, "what they protect is read, and encrypted anew");
    const problems = [
      ...(isBack ? [] : [`not given back at once: ${states.join()}`]),
      ...unread,
      ...(writes === 0 ? [] : [`${writes} writes for copies of the event`]),
    ];
    return check(
      "a version that is used while disabled comes back at once",
      problems,
      `${copies} copies of the event wrote nothing`,
    );
  }

  async plan(): Promise<Check> {
    await this.#until(
      ({ versions }) => versions.at(-1)?.standing === "serving" && versions.length === 1,
    );
    const before = this.#changes();
    await this.#until(({ planned }) => planned !== undefined, this.#plans);
    for (let day = 0; day < 10; day++) await this.#pass(this.#plans, dayMs);
    const made = this.#changes() - before;
    const { planned } = await this.#record();
    this.#tell(
      "keyturn",
      `in mode plan: would ${planned?.call ?? "do nothing"}`,
      "and changes nothing, for ten days",
    );
    const calls: string[] = [];
    const { kms } = this.#stage.aws;
    const { onCall } = kms;
    kms.onCall = (call) => {
      if (!isLook(call.operation)) calls.push(call.operation);
      onCall?.(call);
    };
    await this.#acts();
    await this.#pass(this.#acts, dayMs);
    this.#tell(
      "keyturn",
      `in mode act: ${calls[0] ?? "does nothing"}`,
      "the very call that it had said",
    );
    const problems = [
      ...(made === 0 ? [] : [`${made} changing calls in mode plan`]),
      ...(planned !== undefined && calls[0] === planned.call ? [] : [`then it called ${calls[0]}`]),
    ];
    return check(
      "mode plan says what mode act does, and does nothing",
      problems,
      planned?.call ?? "",
    );
  }

  alwaysUsable(): Check {
    const { violations, observations } = this.#observer;
    this.#dynamoDb.destroy();
    return check(
      "in all this, the alias was always on an Enabled key",
      violations,
      `looked ${observations} times`,
    );
  }

  /** Runs come as the schedule has them, until the record is so. */
  async #until(isSo: (record: ManagedKey) => boolean, handler = this.#acts): Promise<void> {
    for (let runs = 0; runs < 2000; runs++) {
      if (isSo(await this.#record())) return;
      await this.#next(handler, Number.MAX_SAFE_INTEGER);
    }
    throw new Error(`${alias} never got so far`);
  }

  async #pass(handler: Handler, ms: number): Promise<void> {
    const untilMs = this.#stage.clock.nowMs() + ms;
    while (await this.#next(handler, untilMs));
    this.#stage.clock.moveTo(untilMs);
  }

  async #next(handler: Handler, untilMs: number): Promise<boolean> {
    const { clock } = this.#stage;
    const { items } = await this.#table.due(Number.MAX_SAFE_INTEGER, 20);
    // A daily search for tags alone would only take time to watch.
    const dueMs = items.flatMap((item) =>
      item.kind === "managed-key" || item.kind === "request" || isAudit(item) ? [item.dueAtMs] : [],
    );
    const atMs =
      Math.ceil(Math.max(Math.min(...dueMs), clock.nowMs() + 1) / scheduleMs) * scheduleMs;
    if (atMs > untilMs) return false;
    clock.moveTo(atMs);
    await handler();
    return true;
  }

  async #record(): Promise<ManagedKey> {
    const stored = await this.#table.read(alias);
    if (stored === undefined) throw new Error(`no record of ${alias}`);
    return stored.record;
  }

  async #ask(kind: string, fields: { version?: number }, why: string): Promise<void> {
    const sk = `request-${String((this.#requests += 1)).padStart(4, "0")}`;
    const version = fields.version === undefined ? {} : { version: { N: String(fields.version) } };
    const Item = {
      pk: { S: `request#${alias}` },
      sk: { S: sk },
      queue: { S: "due" },
      dueAtMs: { N: "1" },
      kind: { S: kind },
      by: { S: "ada" },
      ...version,
    };
    await this.#dynamoDb.send(new PutItemCommand({ TableName: tableName, Item }));
    const of = fields.version === undefined ? "" : ` of v${fields.version}`;
    this.#tell("person", `asks for a ${kind}${of}, with an item in the table`, why);
    await this.#next(this.#acts, Number.MAX_SAFE_INTEGER);
  }

  async #encrypt(): Promise<void> {
    const Plaintext = Buffer.from(`item ${this.#blobs.length}`);
    const answer = await this.#application.send(new EncryptCommand({ KeyId: alias, Plaintext }));
    if (answer.CiphertextBlob !== undefined) this.#blobs.push(answer.CiphertextBlob);
  }

  async #unreadable(): Promise<string[]> {
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

  async #writesDuring(what: () => Promise<void>): Promise<number> {
    let writes = 0;
    this.#stage.aws.fault = (service, operation) => {
      if (service === "dynamodb" && /^(Put|Update|Delete)Item$/.test(operation)) writes += 1;
      return undefined;
    };
    await what();
    this.#stage.aws.fault = undefined;
    return writes;
  }

  #changes(): number {
    const counts = Object.entries(this.#observer.calls["keyturn"] ?? {});
    return counts.reduce((sum, [name, count]) => (isLook(name) ? sum : sum + count), 0);
  }

  #tell(who: Entry["who"], what: string, why?: string): void {
    const atMs = this.#stage.clock.nowMs();
    this.#print({ atMs, who, aliases: [alias], what, ...(why === undefined ? {} : { why }) });
  }
}
