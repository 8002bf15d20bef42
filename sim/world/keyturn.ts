/**
 * The deployed keyturn: execution environments in which the schedule and EventBridge events start
 * production runs, any number of them concurrently.
 */
import { RotationError } from "../../lambda/errors.ts";
import { createService, type Service } from "../../lambda/service.ts";
import type { Telemetry } from "../../lambda/telemetry/telemetry.ts";
import { readKeyChange } from "../../lambda/inbound/key-change.ts";
import { readUseAttempt } from "../../lambda/inbound/use-attempt.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import { ClaimLost } from "../../lambda/pass/write.ts";
import { attempts } from "../checkers/attempts.ts";
import type { Checker } from "../checkers/checker.ts";
import { journal } from "../checkers/journal.ts";
import type { Accounts } from "../checkers/liveness.ts";
import { planned } from "../checkers/planned.ts";
import { ownership } from "../checkers/ownership.ts";
import { announcements, passes } from "../checkers/passes.ts";
import { versionsOfOneRotation } from "../checkers/successors.ts";
import { keyturnAccounts } from "./keyturn-accounts.ts";
import { portsOf, type Outside } from "./ports.ts";
import { RefusalsFunction } from "./refusals-function.ts";
import type { Rotator, Surroundings } from "./rotator.ts";
import { Sandbox } from "./sandbox.ts";

const minuteMs = 60_000;
/** The timeout of the deployed function. */
const runLimitMs = 5 * minuteMs;
const sandboxesMax = 5;
/** Lambda retries an asynchronous event twice, after one minute and after two. */
const retriesMs = [minuteMs, 2 * minuteMs];

type Invocation = {
  why: string;
  handler: (service: Service, deadlineMs: number) => Promise<unknown>;
  /** Called once the last try failed: the event is in the dead-letter queue. */
  died?: () => void;
};

type Warm = { sandbox: Sandbox; service: Service };

export const keyturnArn = "arn:aws:iam::000000000000:role/keyturn";

export class Keyturn implements Rotator {
  runs = 0;
  readonly accounts: Accounts;
  readonly checkers: Checker[];
  readonly #around: Surroundings;
  readonly #outside: Outside;
  readonly #telemetry: Telemetry;
  readonly #collector: RefusalsFunction;
  /** Keys that a finding outside of any record reports. */
  readonly #result = new Set<string>();
  #warm: Warm[] = [];
  #made = 0;

  constructor(around: Surroundings, slackMs: number) {
    this.#around = around;
    const { facts, configuration } = around;
    this.accounts = keyturnAccounts(around, this.#result, slackMs);
    this.checkers = [
      journal(facts),
      passes(facts),
      announcements(facts),
      planned(facts),
      attempts(facts),
      ownership(facts, tagNames.owner, configuration.owner),
      versionsOfOneRotation(facts),
    ];
    this.#outside = {
      ...around,
      principalArn: keyturnArn,
      claimed: (...result) => {
        for (const checker of this.checkers) checker.onClaim?.(...result);
      },
      wrote: (before, after) => {
        for (const checker of this.checkers) checker.onWrite?.(before, after);
        if (after.record.claim === undefined) around.passEnded(after.record);
      },
    };
    this.#telemetry = telemetryOf(around, this.#result);
    this.#collector = new RefusalsFunction(this.#outside, (error) => bug(around, error));
  }

  /** The schedule fires. A run with nothing due ends at once: only some of these are simulated. */
  tick(): void {
    const { engine, faultPlan, table } = this.#around;
    const isIdle = !table.isDue(engine.nowMs() + faultPlan.envelope.skewMs);
    if (isIdle && !faultPlan.strikes("doubleTick")) return;
    const handler: Invocation["handler"] = (service, deadlineMs) => service.run(deadlineMs);
    this.#invoke({ why: "the schedule", handler });
    if (!isIdle && faultPlan.strikes("doubleTick")) {
      const again = (): void => this.#invoke({ why: "the schedule, again", handler });
      engine.after(faultPlan.between(0, 2 * minuteMs), again);
    }
  }

  /** A CloudTrail event about the use of a key that is out of use. */
  deliver(event: unknown): void {
    const reading = readUseAttempt(event);
    if (reading.kind !== "attempt") return;
    const { attempts } = reading;
    const keys = attempts.map(({ keyId }) => keyId).join();
    this.#invoke({
      why: `a use attempt on ${keys}`,
      handler: (service, deadlineMs) => service.answer(attempts, deadlineMs),
    });
  }

  /** A change by any principal but keyturn's role. */
  deliverChange(event: unknown, died: () => void): void {
    const reading = readKeyChange(event);
    if (reading.kind !== "change" || reading.change.principal === keyturnArn) return;
    const { change } = reading;
    this.#invoke({
      why: `${change.operation} by ${change.principal}`,
      handler: (service, deadlineMs) => service.changed(change, deadlineMs),
      died,
    });
  }

  deliverRefused(event: unknown): void {
    this.#collector.deliver(event);
  }

  #invoke(invocation: Invocation, retries = retriesMs): void {
    const { engine, trace } = this.#around;
    const { why, handler, died } = invocation;
    const warm = this.#environment();
    const [pauseMs, ...others] = retries;
    const retry = (): void => {
      if (pauseMs === undefined) died?.();
      else engine.after(pauseMs, () => this.#invoke(invocation, others));
    };
    // Throttled: the queue retries later.
    if (warm === undefined) return retry();
    const { sandbox, service } = warm;
    this.runs += 1;
    const { deadlinesHold } = this.#around.faultPlan.envelope;
    trace(() => `${sandbox.name}: begins, for ${why}`);
    sandbox.invoke(
      () => this.#watched(handler(service, sandbox.clock.nowMs() + runLimitMs)),
      deadlinesHold ? runLimitMs : Infinity,
      (outcome) => {
        trace(() => `${sandbox.name}: ${outcome}`);
        if (outcome !== "returned") retry();
      },
    );
  }

  async #watched(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof RotationError)) bug(this.#around, error);
      throw error;
    }
  }

  /** An idle environment, or a new one up to the limit. */
  #environment(): Warm | undefined {
    const { random, engine, faultPlan, configuration, collects } = this.#around;
    this.#warm = this.#warm.filter(({ sandbox }) => sandbox.isAlive);
    const idle = this.#warm.filter(({ sandbox }) => sandbox.isIdle);
    const chosen = idle[Math.floor(random.next() * (idle.length + 0.1))];
    if (chosen !== undefined) return chosen;
    if (this.#warm.length >= sandboxesMax) return undefined;
    const { skewMs } = faultPlan.envelope;
    const skew = faultPlan.on ? Math.floor((random.next() * 2 - 1) * skewMs) : 0;
    const sandbox = new Sandbox(engine, `run-${(this.#made += 1)}`, skew);
    const service = createService(
      portsOf(sandbox, this.#outside),
      this.#telemetry,
      configuration,
      1,
      "none",
      collects ? "cloudtrail" : "none",
    );
    const warm = { sandbox, service };
    this.#warm.push(warm);
    return warm;
  }
}

/** An error that is neither a simulated fault nor a lost claim. */
function bug({ facts }: Surroundings, error: unknown): void {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  facts.violated("no bug", what);
}

function telemetryOf(around: Surroundings, result: Set<string>): Telemetry {
  const { trace } = around;
  return {
    transition: ({ record, outbox }) => {
      const entry = outbox.at(-1);
      trace(() => `  ${record.alias}: ${entry?.event ?? ""} (${entry?.reason ?? ""})`);
    },
    refused: ({ alias, call, refusal }) => trace(() => `  ${alias}: ${call} refused: ${refusal}`),
    unanswered: ({ alias, call }) => trace(() => `  ${alias}: ${call} has no response`),
    finding: (alias, finding) => {
      trace(() => `  ${alias}: ${finding.code}: ${finding.observed}`);
      if (finding.code === "UNKNOWN_KEY") result.add(finding.subject);
    },
    failed: (alias, error) => {
      trace(() => `  ${alias}: ${String(error)}`);
      if (!(error instanceof RotationError || error instanceof ClaimLost)) bug(around, error);
    },
    rested: ({ alias, waitingFor }) => trace(() => `  ${alias}: waits for: ${waitingFor}`),
    census: () => undefined,
    run: () => undefined,
    answered: ({ keyId, outcome }) => trace(() => `  ${keyId}: ${outcome}`),
    changed: ({ alias, operation, principal }) =>
      trace(() => `  ${alias}: suspected, by ${operation} of ${principal}`),
    ignored: () => undefined,
  };
}
