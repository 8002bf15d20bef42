/** Telemetry through Powertools: structured log lines, and metrics in EMF. */
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { describeError, RotationError } from "../errors.ts";
import type { LineLogger } from "./log-line.ts";
import type { Rested, Telemetry } from "./telemetry.ts";
import { effects, type Finding } from "../workflow/model/findings.ts";
import { isoOf } from "../workflow/model/iso.ts";

/** This many throttled passes in a row count as persistent. */
const throttledPasses = 3;

/** Year 9999: a later due time means a wait without a date. */
const neverMs = 253_402_300_800_000;

/** Sets of aliases: a managed key with two passes in a run counts once. */
type Counts = {
  started: number;
  completed: number;
  throttles: number;
  throttled: Set<string>;
  throttledLong: Set<string>;
  halted: Set<string>;
  stuck: Set<string>;
  lockedOut: Set<string>;
  endangered: Set<string>;
  overdueMs: Map<string, number>;
};

function none(): Counts {
  return {
    started: 0,
    completed: 0,
    throttles: 0,
    throttled: new Set(),
    throttledLong: new Set(),
    halted: new Set(),
    stuck: new Set(),
    lockedOut: new Set(),
    endangered: new Set(),
    overdueMs: new Map(),
  };
}

/**
 * The dimension `table` separates deployments that share an account and Region: one deployment
 * cannot hide another's missing heartbeat. Each metric name costs one metric per deployment.
 */
export function createMetrics(tableName: string): Metrics {
  return new Metrics({
    namespace: "keyturn",
    serviceName: "keyturn",
    defaultDimensions: { table: tableName },
  });
}

/** Publishes and resets the counts at the end of an invocation. */
export function createTelemetry(logger: LineLogger, metrics: Metrics): Telemetry {
  let counts = none();
  const publish = (): void => {
    addCounts(metrics, counts);
    counts = none();
  };
  return {
    transition({ record, journalHead, outbox }) {
      const line = outbox.at(-1);
      if (line === undefined) return;
      if (line.event === "opened") counts.started += 1;
      if (line.event === "completed") counts.completed += 1;
      const { rotationId, step, event: decision, reason, revision, detail } = line;
      const what = { rotationId, step, decision, reason, revision, detail };
      logger.info("transition", { alias: record.alias, ...what, journalHead });
    },
    refused({ message: answer, ...call }) {
      if (call.refusal === "Throttled") throttle(counts, call.alias);
      logger.warn("call refused", { ...call, answer });
    },
    unanswered({ message: answer, ...call }) {
      logger.warn("call unanswered", { ...call, answer });
    },
    finding(alias, finding) {
      logger.warn("finding", { alias, ...finding });
      noteUnheld(counts, alias, finding);
    },
    failed(alias, error) {
      const code = error instanceof RotationError ? error.code : undefined;
      if (code === "THROTTLED") throttle(counts, alias);
      // At once: a run that fails with it has no summary.
      if (code === "TABLE_FAILED") metrics.addMetric("TableErrors", MetricUnit.Count, 1);
      logger.error("pass failed", { alias, cause: describeError(error) });
    },
    rested(state) {
      note(counts, state);
      logger.info("rest", lineOf(state));
    },
    census(records) {
      const managed = records.filter(({ enrolledAtMs }) => enrolledAtMs !== undefined);
      metrics.addMetric("ManagedKeys", MetricUnit.Count, managed.length);
      for (const { alias, waitingFor, dueAtMs } of managed) {
        logger.info("listed", { alias, waitingFor, due: dueOf(dueAtMs) });
      }
    },
    answered(answer) {
      logger.warn("use attempt", answer);
      const restored = answer.outcome === "restored" ? 1 : 0;
      metrics.addMetric("UseAttempts", MetricUnit.Count, 1);
      metrics.addMetric("VersionsRestored", MetricUnit.Count, restored);
      publish();
    },
    changed({ alias, operation, principal, eventId, keyIds, outcome }) {
      const what = { alias, operation, principal, eventId, keyIds };
      if (outcome === "due") logger.warn("changed by an external actor", what);
    },
    ignored(why) {
      logger.warn("event ignored", { why });
    },
    run(summary) {
      logger.info("run", summary);
      metrics.addMetric("Heartbeat", MetricUnit.Count, 1);
      metrics.addMetric("PassesFailed", MetricUnit.Count, summary.failed);
      metrics.addMetric("TableErrors", MetricUnit.Count, 0);
      metrics.addMetric("RunDuration", MetricUnit.Milliseconds, summary.durationMs);
      publish();
    },
  };
}

function throttle(counts: Counts, alias: string): void {
  counts.throttles += 1;
  counts.throttled.add(alias);
}

/** These two keep a managed key from having a pass that could report it. */
function noteUnheld(counts: Counts, alias: string, { code }: Finding): void {
  if (effects[code] === "refuse") counts.halted.add(alias);
  if (code === "CLOCK_SKEW") counts.stuck.add(alias);
}

/** The last pass of a managed key counts. */
function note(counts: Counts, rested: Rested): void {
  const { alias, halted, stuck, lockedOut, endangered, tries, overdueMs } = rested;
  const put = (set: Set<string>, isSo: boolean): void => {
    if (isSo) set.add(alias);
    else set.delete(alias);
  };
  put(counts.halted, halted);
  put(counts.stuck, stuck);
  put(counts.lockedOut, lockedOut);
  put(counts.endangered, endangered);
  put(counts.throttledLong, counts.throttled.has(alias) && tries >= throttledPasses);
  counts.overdueMs.set(alias, overdueMs);
}

/** All counts at each run, zeros too: an alarm ends only on data. */
function addCounts(metrics: Metrics, counts: Counts): void {
  const overdueMs = [...counts.overdueMs.values()].filter((ms) => ms > 0);
  const count = (name: string, value: number): void =>
    void metrics.addMetric(name, MetricUnit.Count, value);
  count("RotationsStarted", counts.started);
  count("RotationsCompleted", counts.completed);
  count("RotationsHalted", counts.halted.size);
  count("RotationsStuck", counts.stuck.size);
  count("LockedOut", counts.lockedOut.size);
  count("Endangered", counts.endangered.size);
  count("Overdue", overdueMs.length);
  count("Throttles", counts.throttles);
  count("ThrottledInARow", counts.throttledLong.size);
  metrics.addMetric("OldestOverdueAge", MetricUnit.Seconds, Math.max(0, ...overdueMs) / 1000);
}

/** The line for the dashboard: one for each pass; the newest of an alias counts. */
function lineOf({
  alias,
  halted,
  endangered,
  stuck,
  overdueMs,
  waitingFor,
  dueAtMs,
}: Rested): Record<string, string> {
  const late = stuck ? "stuck" : overdueMs > 0 ? "overdue" : "well";
  const condition = halted ? "halted" : endangered ? "endangered" : late;
  return { alias, condition, waitingFor, due: dueOf(dueAtMs) };
}

function dueOf(dueAtMs: number): string {
  return dueAtMs < neverMs ? isoOf(dueAtMs) : "on request";
}
