/** An alarm as plain data, and the metrics and times that the alarms share. */
import { recheckMs } from "../lambda/workflow/model/limits.ts";

export type Namespace = "keyturn" | "AWS/Lambda" | "AWS/SQS";

export type MetricDefinition = {
  namespace: Namespace;
  metricName: string;
  statistic: "Sum" | "Maximum";
  /** For a metric of AWS: it is of the second function, or of the queue that it reads. */
  of?: "refused uses";
};

export type AlarmDefinition = {
  metric: MetricDefinition;
  /** The value for periods without data. */
  filledWith?: number;
  periodSeconds: number;
  /** All of the last `evaluationPeriods` must breach. */
  evaluationPeriods: number;
  comparison: ">=" | "<";
  threshold: number;
  missingData: "breaching" | "notBreaching";
  meaning: string;
  /** What the operator does next. */
  next: string;
};

export type Timing = { intervalSeconds: number; timeoutSeconds: number };

/** `queueName`: the dead-letter queue's. */
export type Names = {
  tableName: string;
  functionName: string;
  queueName: string;
  /** Of the second function, and of the queue that it reads. */
  refusedUses?: { functionName: string; queueName: string } | undefined;
};

/** The dimensions of a metric, as the service and Powertools emit them. */
export function dimensionsOf(
  { namespace, of }: Pick<MetricDefinition, "namespace" | "of">,
  names: Names,
): Record<string, string> {
  const { functionName, queueName } = of === undefined ? names : refusedUsesOf(names);
  switch (namespace) {
    case "keyturn":
      return { service: "keyturn", table: names.tableName };
    case "AWS/Lambda":
      return { FunctionName: functionName };
    case "AWS/SQS":
      return { QueueName: queueName };
  }
}

function refusedUsesOf({ refusedUses }: Names): { functionName: string; queueName: string } {
  if (refusedUses === undefined) throw new Error("no queue of refused uses");
  return refusedUses;
}

export const ours = (metricName: string, statistic: "Sum" | "Maximum"): MetricDefinition => ({
  namespace: "keyturn",
  metricName,
  statistic,
});

/** CloudWatch: an alarm evaluates a week at most (API reference, PutMetricAlarm, Period). */
export const longestIntervalSeconds = 86_400;

/** A metric has one value a minute, and a period is a number of minutes. */
export function inMinutes(seconds: number): number {
  return Math.ceil(seconds / 60) * 60;
}

/**
 * The longest time between two passes of a managed key that waits for an operator or for KMS: one
 * hour, the three runs after it, of which one may be lost, and 15 minutes for slow runs.
 */
export function betweenPassesSeconds(intervalSeconds: number): number {
  return inMinutes(recheckMs / 1000 + 3 * intervalSeconds + 900);
}

/**
 * For a condition that each pass of its managed key reports: the period is the longest time between
 * two passes. CloudWatch evaluates the alarm once a minute, over the period that ends then (user
 * guide, alarm-evaluation-window: the window slides by default). The length of the period therefore
 * delays no ALARM; it only keeps the alarm on until the next pass.
 */
export function lasting(timing: Timing) {
  return {
    periodSeconds: betweenPassesSeconds(timing.intervalSeconds),
    evaluationPeriods: 1,
    comparison: ">=",
    threshold: 1,
    missingData: "notBreaching",
  } as const;
}
