/** The alarms of refused uses, as plain data. They exist only where refused uses are collected. */
import { type AlarmDefinition, lasting, ours, type Timing } from "./alarm-model.ts";

export const refusalAlarmNames = [
  "CallersLockedOut",
  "RefusalsDelayed",
  "RefusalsFailing",
] as const;

export type RefusalAlarmName = (typeof refusalAlarmNames)[number];

/**
 * A message is received again six minutes after an attempt failed. SQS leaves a message that was
 * received three times out of the age (developer guide, sqs-available-cloudwatch-metrics), and so
 * the age of messages that keep failing ends at about twelve minutes. One failure is harmless.
 */
const delayedSeconds = 600;

export function refusalAlarms(timing: Timing): Record<RefusalAlarmName, AlarmDefinition> {
  return {
    CallersLockedOut: {
      // Within 15 minutes of the refused call: five for CloudTrail, one in the queue, five until
      // the next run, and two or three for the run, the metric and CloudWatch's next evaluation.
      // The pass that finds it reports it at once, and then hourly.
      ...lasting(timing),
      metric: ours("LockedOut", "Maximum"),
      meaning:
        "Since the alias of a managed key moved, KMS refuses callers that it did not refuse before: the rotation locked them out.",
      next: "The log and `npx keyturn status <alias>` show the finding REFUSED_SINCE_ACTIVATION: it names the callers, and has the command of the rollback. Allow them the new version (docs/findings.md), or roll back. If a refusal is intended, add it to acceptedRefusals in the configuration. The alarm ends three days after the last refusal, or three days after the aliases move again, whichever is earlier.",
    },
    RefusalsDelayed: {
      metric: {
        namespace: "AWS/SQS",
        metricName: "ApproximateAgeOfOldestMessage",
        statistic: "Maximum",
        of: "refused uses",
      },
      periodSeconds: 900,
      evaluationPeriods: 1,
      comparison: ">=",
      threshold: delayedSeconds,
      missingData: "notBreaching",
      meaning:
        "Refused uses wait in their queue: the second function does not receive them, or cannot store them. Until the second function stores them, keyturn reports no locked-out caller. After 36 hours, keyturn schedules no deletion.",
      next: 'Is the event source mapping of the second function enabled, and is the function throttled (AWS/Lambda Throttles)? Search its log for "refused uses not stored": the line has the cause. After ten attempts a message is in the dead-letter queue.',
    },
    RefusalsFailing: {
      metric: {
        namespace: "AWS/Lambda",
        metricName: "Errors",
        statistic: "Sum",
        of: "refused uses",
      },
      // The queue repeats a batch after six minutes: a persistent error occurs twice.
      periodSeconds: 1800,
      evaluationPeriods: 1,
      comparison: ">=",
      threshold: 2,
      missingData: "notBreaching",
      meaning:
        "The second function ended in an error, or Lambda ended it at its timeout, more than once. It stored nothing of these batches; their messages are in the queue again.",
      next: "Read the last lines of its log. An error at its start is a faulty deployment, any other one a bug: deploy the previous version, and report the error. The table's errors are not among these: see RefusalsDelayed.",
    },
  };
}
