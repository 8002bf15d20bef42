/** keyturn on the stage: the deployed function, its schedule, an overlapping and a killed run. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Context } from "aws-lambda";
import { createTable } from "../lambda/aws/dynamodb.ts";
import { readEnvironment } from "../lambda/configuration/environment.ts";
import { createFunction } from "../lambda/function.ts";
import type { DueItem, Table } from "../lambda/ports.ts";
import type { RunResult } from "../lambda/run/run.ts";
import type { ManagedKey } from "../lambda/workflow/model/types.ts";
import { SimRandom } from "../embedded-aws/random.ts";
import { minuteMs } from "./fleet.ts";
import type { Observer } from "./observer.ts";
import { tableName, type Stage } from "./stage.ts";

/** As in the stack. */
const scheduleMs = 5 * minuteMs;
const timeoutMs = 5 * minuteMs;

/** The delay of a request of the first run that lets the second run overtake it. */
const delayMs = 200;

const tickPath = fileURLToPath(new URL("../cli/tick.ts", import.meta.url));

type Handler = ReturnType<typeof createFunction>;

export class Keyturn {
  readonly runs = { worked: 0, nothingDue: 0, left: 0, killed: 0, failedPasses: 0, outOfTime: 0 };
  readonly #stage: Stage;
  readonly #observer: Observer;
  readonly #table: Table;
  readonly #handler: Handler;
  readonly #secondSandbox: Handler;

  /** Call `turnTo(stage)` first. */
  constructor(stage: Stage, observer: Observer, seed: number) {
    this.#stage = stage;
    this.#observer = observer;
    this.#table = createTable(tableName);
    const environment = readEnvironment(process.env);
    const random = new SimRandom(seed + 1);
    const outside = {
      // A run takes no simulated time; nor does its wait for a request quota.
      clock: { nowMs: () => stage.clock.nowMs(), sleep: (ms: number) => stage.sleep(ms) },
      chance: { next: () => random.next(), id: () => random.uuid() },
    };
    this.#handler = createFunction(environment, outside);
    this.#secondSandbox = createFunction(environment, outside);
  }

  /** The time of the next scheduled run that has work to do. */
  async nextRunAtMs(): Promise<number> {
    const soonest = (await this.#due(Number.MAX_SAFE_INTEGER, 3))[0];
    const dueAtMs = Math.max(soonest?.dueAtMs ?? Infinity, this.#stage.clock.nowMs() + 1);
    return Math.ceil(dueAtMs / scheduleMs) * scheduleMs;
  }

  /** The records of the managed keys that a run would work on now. */
  async due(): Promise<ManagedKey[]> {
    const items = await this.#due(this.#stage.clock.nowMs(), 100);
    const aliases = items.flatMap((item) => (item.kind === "managed-key" ? [item.alias] : []));
    return this.#table.readMany(aliases);
  }

  records(): Promise<ManagedKey[]> {
    return this.#table.readMany(this.#stage.fleet.map(({ alias }) => alias));
  }

  async #due(nowMs: number, limit: number): Promise<Exclude<DueItem, { kind: "configuration" }>[]> {
    const { items } = await this.#table.due(nowMs, limit);
    return items.filter((item) => item.kind !== "configuration");
  }

  run(): Promise<RunResult> {
    return this.#invoke(this.#handler);
  }

  async #invoke(handler: Handler): Promise<RunResult> {
    const result = await handler({}, contextOf());
    if (!("passes" in result)) throw new Error("an ordinary run was expected");
    const { runs } = this;
    if (result.outcome === "worked") runs.worked += 1;
    if (result.outcome === "nothing-due") runs.nothingDue += 1;
    if (result.outcome === "another-run-at-work") runs.left += 1;
    if (result.outOfTime) runs.outOfTime += 1;
    runs.failedPasses += result.failed;
    this.#observer.read();
    return result;
  }

  /**
   * Starts a second run as soon as the first has the run claim and reads its items: GetItem is
   * the first call after the claim. The fault delays it until the second run has ended.
   */
  async runTwice(): Promise<{ first: RunResult; second: RunResult | undefined }> {
    const { aws } = this.#stage;
    const overlap: { second?: Promise<RunResult>; ended: boolean } = { ended: false };
    aws.fault = (service, operation) => {
      if (service !== "dynamodb" || !["GetItem", "UpdateItem"].includes(operation)) {
        return undefined;
      }
      overlap.second ??= this.#invoke(this.#secondSandbox).finally(() => {
        overlap.ended = true;
      });
      return overlap.ended ? undefined : { kind: "delay", ms: delayMs };
    };
    try {
      const first = await this.run();
      return { first, second: await overlap.second };
    } finally {
      aws.fault = undefined;
    }
  }

  /**
   * A run in its own process, killed after KMS has created its key and before KMS answers.
   * Returns the id of the key that no record names.
   */
  async killedRun(): Promise<string> {
    const { aws, clock, env } = this.#stage;
    const flags = ["--endpoint-url", aws.endpoint, "--table", tableName];
    flags.push("--config", env.KEYTURN_CONFIG ?? "", "--now", String(clock.nowMs()));
    flags.push("--timeout-ms", String(timeoutMs));
    const child = spawn(process.execPath, [tickPath, ...flags], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let orphan: string | undefined;
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
    this.#observer.onKeyMade = (keyId) => {
      orphan = keyId;
      child.kill("SIGKILL");
    };
    aws.fault = (_service, operation) => (operation === "CreateKey" ? { kind: "lost" } : undefined);
    try {
      const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
      if (orphan !== undefined && signal === "SIGKILL") {
        this.runs.killed += 1;
        return orphan;
      }
      throw new Error(`the run ended before it could be killed (${code}): ${complaint}`);
    } finally {
      this.#observer.onKeyMade = undefined;
      aws.fault = undefined;
    }
  }
}

export function contextOf(): Context {
  return {
    functionName: "keyturn-demo",
    memoryLimitInMB: "0",
    invokedFunctionArn: "demo",
    awsRequestId: "demo",
    getRemainingTimeInMillis: () => timeoutMs,
  } as Context;
}
