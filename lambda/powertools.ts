/** Telemetry as Powertools writes it: structured log lines, and metrics in EMF beside them. */
import type { Logger } from "@aws-lambda-powertools/logger";
import { MetricUnit, type Metrics } from "@aws-lambda-powertools/metrics";
import { describeError, RotationError } from "./errors.ts";
import type { Telemetry } from "./telemetry.ts";

type Counts = {
  started: number;
  completed: number;
  halted: number;
  overdue: number;
  oldestOverdueMs: number;
  throttles: number;
};

function none(): Counts {
  return { started: 0, completed: 0, halted: 0, overdue: 0, oldestOverdueMs: 0, throttles: 0 };
}

/** Counts are of one run: they go out, and begin anew, with its summary. */
export function createTelemetry(logger: Logger, metrics: Metrics): Telemetry {
  let counts = none();
  return {
    transition({ record, journalHead, outbox }) {
      const line = outbox.at(-1);
      if (line === undefined) return;
      if (line.event === "opened") counts.started += 1;
      if (line.event === "completed") counts.completed += 1;
      logger.info("transition", {
        alias: record.alias,
        rotationId: line.rotationId,
        step: line.step,
        decision: line.event,
        reason: line.reason,
        revision: line.revision,
        detail: line.detail,
        journalHead,
      });
    },
    refused(told) {
      if (told.refusal === "Throttled") counts.throttles += 1;
      logger.warn("call refused", told);
    },
    unanswered(told) {
      logger.warn("call without an answer", told);
    },
    finding(alias, finding) {
      logger.warn("finding", { alias, ...finding });
    },
    failed(alias, error) {
      if (error instanceof RotationError && error.code === "THROTTLED") counts.throttles += 1;
      logger.error("turn failed", { alias, cause: describeError(error) });
    },
    rested({ alias, overdueMs, halted, dueAtMs, resting }) {
      logger.debug("rest", { alias, resting, dueAtMs });
      if (halted) counts.halted += 1;
      if (overdueMs > 0) counts.overdue += 1;
      counts.oldestOverdueMs = Math.max(counts.oldestOverdueMs, overdueMs);
    },
    answered(answer) {
      logger.warn("use attempt", answer);
      const back = answer.outcome === "given-back" ? 1 : 0;
      metrics.addMetric("UseAttempts", MetricUnit.Count, 1);
      metrics.addMetric("GivenBack", MetricUnit.Count, back);
    },
    ignored(why) {
      logger.warn("event ignored", { why });
    },
    run(summary) {
      logger.info("run", summary);
      metrics.addMetric("Heartbeat", MetricUnit.Count, 1);
      metrics.addMetric("RotationsStarted", MetricUnit.Count, counts.started);
      metrics.addMetric("RotationsCompleted", MetricUnit.Count, counts.completed);
      metrics.addMetric("RotationsHalted", MetricUnit.Count, counts.halted);
      metrics.addMetric("Overdue", MetricUnit.Count, counts.overdue);
      metrics.addMetric("OldestOverdueAge", MetricUnit.Seconds, counts.oldestOverdueMs / 1000);
      metrics.addMetric("Throttles", MetricUnit.Count, counts.throttles);
      metrics.addMetric("TurnsFailed", MetricUnit.Count, summary.failed);
      metrics.addMetric("RunDuration", MetricUnit.Milliseconds, summary.durationMs);
      counts = none();
    },
  };
}
