/** Runs a forecast: one managed key, with its own table, KMS and clock. */
import type { Ahead, ForecastEvent } from "./planned.ts";
import { PredictedKms } from "./predicted-kms.ts";
import { isCollected, isUncollected, withoutExcuses } from "./refusals.ts";
import { createPacer } from "../../lambda/pass/pacer.ts";
import type { Clock, JournalEntry, Ports, Stored } from "../../lambda/ports.ts";
import type { Run } from "../../lambda/pass/context.ts";
import { oneKey } from "../../lambda/pass/take-up.ts";
import type { Telemetry } from "../../lambda/telemetry/telemetry.ts";
import { subjectOfCall } from "../../lambda/workflow/apply-outcome.ts";
import { without } from "../../lambda/workflow/model/record.ts";
import type { Call, ManagedKey } from "../../lambda/workflow/model/types.ts";
import { refusalsMark } from "../../lambda/inbound/canary.ts";
import { watched } from "../../lambda/refusals/watched.ts";
import { createTableTwin, type TableTwin } from "../../sim/ports/table.ts";

const passLimitMs = 5 * 60_000;

export class Stage {
  readonly kms: PredictedKms;
  readonly planned: ForecastEvent[] = [];
  readonly #alias: string;
  readonly #table: TableTwin;
  readonly #run: Omit<Run, "deadlineMs" | "stopAtMs">;
  /** Whether the event of a canary for refused uses arrives. */
  readonly #arrives: boolean;
  #nowMs: number;
  #ids = 0;
  #called: Call | undefined;
  #failed: unknown;

  static async of(stored: Stored, ahead: Ahead): Promise<Stage> {
    const stage = new Stage(stored, ahead);
    const { refusals, watch } = ahead.refused;
    if (refusals !== undefined) {
      await stage.#table.saveRefusals(stored.record.alias, withoutExcuses(refusals), 0);
    }
    if (watch !== undefined) await stage.#table.saveRefusalsWatch(watch, 0);
    return stage;
  }

  private constructor({ record, ...rest }: Stored, { requests, nowMs, refused }: Ahead) {
    this.#nowMs = nowMs;
    this.#alias = record.alias;
    this.#table = createTableTwin({ tableId: record.tableId, shares: true });
    // Assumes that a run with a claim on it now changes nothing.
    this.#table.put({ ...rest, record: unseen(record) });
    for (const { id, body } of requests) this.#table.ask(record.alias, id, body);
    this.kms = new PredictedKms(record, {
      record: () => this.record(),
      nowMs: () => this.#nowMs,
      called: (call) => void (this.#called = call),
      heard: (mark) => this.#heard(mark),
    });
    this.#arrives = !isUncollected(record, refused.watch, nowMs);
    this.#run = this.#runOf(record, refused);
  }

  /** The present record. */
  record(): ManagedKey {
    return (this.#table.stored(this.#alias) as Stored).record;
  }

  async passAt(atMs: number): Promise<void> {
    this.#nowMs = atMs;
    const deadlineMs = atMs + passLimitMs;
    await oneKey({ ...this.#run, deadlineMs, stopAtMs: deadlineMs }, this.#alias, "asked");
    if (this.#failed !== undefined) {
      throw new Error(`${this.#alias}: the next runs cannot be predicted`, {
        cause: this.#failed,
      });
    }
  }

  /** Assumes that the events of canaries arrive, unless the table shows that they do not. */
  async #heard(mark: string): Promise<void> {
    if (mark !== refusalsMark || !this.#arrives) return;
    const before = await this.#table.refusalsWatch();
    const next = watched(before, [this.#nowMs], 0, this.#nowMs);
    if (next !== undefined) await this.#table.saveRefusalsWatch(next, before?.revision ?? 0);
  }

  #runOf(record: ManagedKey, { configuration, watch }: Ahead["refused"]) {
    const { alias, aliases, policy, dependents, owner, findings, tableId } = record;
    const clock: Clock = { nowMs: () => this.#nowMs, sleep: () => Promise.resolve() };
    const collects = isCollected({ configuration, watch });
    const isUnwatched = findings.some(({ code }) => code === "DRAIN_NOT_WATCHED");
    return {
      ...{ id: "forecast", tableId, renewAtMs: 0, quotaShare: 1, configurationApplied: true },
      ports: this.#ports(clock),
      telemetry: this.#telemetry(),
      configuration: {
        owner,
        mode: "act" as const,
        policies: {},
        managedKeys: [],
        taggedAliases: [],
        acceptedRefusals: configuration?.acceptedRefusals ?? [],
      },
      configurationHash: "",
      homes: new Map([[alias, { alias, aliases, policy, dependents }]]),
      pacer: createPacer(clock, 1),
      // The record does not show whether events arrive; the finding shows that they do not.
      ...(isUnwatched ? { drainWatch: "cloudtrail" as const } : {}),
      ...(collects === true ? { refusalsWatch: "cloudtrail" as const } : {}),
    };
  }

  #ports(clock: Clock): Ports {
    return {
      keys: this.kms,
      discovery: this.kms,
      table: this.#table,
      events: { publish: () => Promise.resolve() },
      clock,
      chance: { next: () => 0.5, id: () => `forecast-${(this.#ids += 1)}` },
    };
  }

  #telemetry(): Telemetry {
    const nothing = () => undefined;
    return {
      ...{ refused: nothing, unanswered: nothing, finding: nothing, rested: nothing },
      ...{ census: nothing, run: nothing, answered: nothing, changed: nothing, ignored: nothing },
      transition: (stored) => this.#note(stored),
      failed: (_of, error) => void (this.#failed = error),
    };
  }

  /** One journal line follows each call that KMS accepted. */
  #note({ record, outbox }: Stored): void {
    const line = outbox.at(-1);
    if (line === undefined) return;
    const { event, step, rotationId } = line;
    const call = this.#called;
    this.#called = undefined;
    const reason = call === undefined ? whyWithoutCall(line) : this.#why(call, line);
    this.planned.push({
      atMs: this.#nowMs,
      event,
      reason,
      ...(step === undefined ? {} : { step }),
      ...(rotationId === undefined ? {} : { rotationId }),
      ...(line.detail.request === undefined ? {} : { request: String(line.detail.request) }),
      ...(call === undefined ? {} : { call: call.kind, subject: subjectIn(record, call) }),
    });
  }

  /** These lines state only that KMS accepted the call. An earlier line of the rotation has the reason. */
  #why(call: Call, { rotationId, reason }: JournalEntry): string {
    const because = { CreateKey: "opened", UpdateAlias: "distributed" };
    const event = call.kind in because ? because[call.kind as keyof typeof because] : undefined;
    const earlier = this.planned.findLast(
      (one) => one.event === event && one.rotationId === rotationId,
    );
    return earlier?.reason ?? reason;
  }
}

/** No external actor changes KMS in a forecast: it makes no inspection, which would be a pass a day. */
function unseen(record: ManagedKey): ManagedKey {
  const isPresent = record.enrolledAtMs !== undefined;
  const inspectedAtMs = isPresent ? { inspectedAtMs: Number.MAX_SAFE_INTEGER } : {};
  return { ...without(record, "claim", "suspectedAtMs"), ...inspectedAtMs };
}

/** The journal has the codes of findings in a field of their own. */
function whyWithoutCall({ event, reason, detail }: JournalEntry): string {
  if (event !== "findings-opened" && event !== "findings-closed") return reason;
  const opened = event === "findings-opened";
  const found = String((opened ? detail.opened : detail.closed) ?? "").matchAll(
    /(?:^|, )([A-Z_]+) /g,
  );
  const codes = new Set([...found].map(([, code]) => code));
  const names = [...codes].join(", ");
  return opened ? `${names}: ${reason}` : `the condition no longer exists: ${names}`;
}

function subjectIn(record: ManagedKey, call: Call): string {
  const version = record.versions.find(({ keyId }) => "keyId" in call && keyId === call.keyId);
  if (call.kind === "CreateKey")
    return `v${Math.max(...record.versions.map(({ number }) => number))}`;
  if (call.kind === "UpdateAlias") {
    // A managed key with one alias needs no second name.
    const name = call.alias === record.alias ? "" : `${call.alias} `;
    return `${name}to v${version?.number}`;
  }
  return version === undefined ? subjectOfCall(record, call) : `v${version.number}`;
}
