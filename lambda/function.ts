/** The function: log context before each invocation, metrics after it. */
import { Logger } from "@aws-lambda-powertools/logger";
import type { Context } from "aws-lambda";
import type { Answer } from "./run/answer.ts";
import type { ChangeOutcome } from "./run/changed.ts";
import { createAwsPorts } from "./aws/wiring.ts";
import type { Environment } from "./configuration/environment.ts";
import type { Chance, Clock } from "./ports.ts";
import { createMetrics, createTelemetry } from "./telemetry/powertools.ts";
import type { RunResult } from "./run/run.ts";
import { createService } from "./service.ts";
import { homeOf } from "./inbound/cloudtrail.ts";
import { readKeyChange } from "./inbound/key-change.ts";
import { readUseAttempt } from "./inbound/use-attempt.ts";

export type Outside = { clock: Clock; chance: Chance };

export type Result =
  | RunResult
  | { outcome: "answered"; answers: Answer[] }
  | { outcome: "heard"; sentAtMs: number }
  | { outcome: "changed"; managedKeys: ChangeOutcome[] }
  | { outcome: "ignored"; why: string };

/**
 * The function that Lambda calls, for one environment. The schedule's event starts a run; an event
 * from CloudTrail reports a change by an external actor, or an attempt to use a key that is out of use.
 */
export function createFunction(
  environment: Environment,
  { clock, chance }: Outside,
): (event: unknown, context: Context) => Promise<Result> {
  const logger = new Logger({ serviceName: "keyturn" });
  const metrics = createMetrics(environment.tableName);
  const ports = createAwsPorts(environment, clock, chance);
  const telemetry = createTelemetry(logger, metrics);
  const service = createService(
    ports,
    telemetry,
    environment.configuration,
    environment.quotaShare,
    environment.drainWatch,
    environment.refusalsWatch,
  );
  const handle = async (event: unknown, context: Context): Promise<Result> => {
    const deadlineMs = clock.nowMs() + context.getRemainingTimeInMillis();
    const home = homeOf(context.invokedFunctionArn, environment.roleName);
    const change = readKeyChange(event, home);
    if (change.kind === "change") {
      return { outcome: "changed", managedKeys: await service.changed(change.change, deadlineMs) };
    }
    // keyturn's own calls are among these events: they are worth no line in the log.
    if (change.kind === "ignored") return { outcome: "ignored", why: change.why };
    const reading = readUseAttempt(event, home);
    switch (reading.kind) {
      case "no such event":
        return service.run(deadlineMs);
      case "attempt":
        return {
          outcome: "answered",
          answers: await service.answer(reading.attempts, deadlineMs),
        };
      case "canary":
        await service.heard(Math.min(reading.atMs, clock.nowMs()));
        return { outcome: "heard", sentAtMs: reading.atMs };
      case "ignored":
        // The others may come a thousand times a second, about keys that are not ours.
        if (reading.isForged === true) telemetry.ignored(reading.why);
        return { outcome: "ignored", why: reading.why };
    }
  };
  return async (event, context) => {
    logger.addContext(context);
    try {
      return await handle(event, context);
    } finally {
      // Without metrics, as for an event of a key that is not managed, Powertools would write a warning.
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    }
  };
}
