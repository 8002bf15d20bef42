/**
 * The alarms as plain data, the source of the CDK alarms, docs/alarms.md and the proof. The period
 * of an alarm for a lasting condition is the longest time between two passes of a managed key: the
 * alarm stays in ALARM until the condition ends, and then returns to OK by itself.
 */
import { leavingOffMs, requestLimitMs } from "../lambda/workflow/model/limits.ts";
import {
  type AlarmDefinition,
  betweenPassesSeconds,
  inMinutes,
  lasting,
  longestIntervalSeconds,
  ours,
  type Timing,
} from "./alarm-model.ts";
import { refusalAlarms, type RefusalAlarmName } from "./refusal-alarms.ts";

export type AlarmName =
  | "HeartbeatMissing"
  | "RunErrors"
  | "TurnErrors"
  | "RunNearTimeLimit"
  | "DeadLetters"
  | "RotationOverdue"
  | "RotationHalted"
  | "VersionEndangered"
  | "StepStuck"
  | "ThrottlingPersistent"
  | "TableErrors"
  | RefusalAlarmName;

/** Throws a RangeError if the runs are too far apart for any alarm. */
export function alarmDefinitions(timing: Timing): Record<AlarmName, AlarmDefinition> {
  if (timing.intervalSeconds > longestIntervalSeconds) {
    throw new RangeError(`interval: alarms need one run a day, got ${timing.intervalSeconds} s`);
  }
  const general = { ...ofRuns(timing), ...ofSurroundings(timing), ...ofRotations(timing) };
  return { ...general, ...refusalAlarms(timing) };
}

type OfRuns = "HeartbeatMissing" | "RunErrors" | "TurnErrors" | "RunNearTimeLimit";

function ofRuns(timing: Timing): Record<OfRuns, AlarmDefinition> {
  const interval = inMinutes(timing.intervalSeconds);
  const repeated = repeatedErrors(timing);
  // A run starts to finish at this time; the second half covers Lambda's own part of the duration.
  const nearLimitMs = timing.timeoutSeconds * 1000 - leavingOffMs - requestLimitMs;
  return {
    HeartbeatMissing: {
      // Filled: CloudWatch evaluates more periods than configured if data is missing, and an alarm
      // on missing data would wait until none of them has a run (user guide,
      // alarms-and-missing-data).
      metric: ours("Heartbeat", "Sum"),
      filledWith: 0,
      periodSeconds: interval,
      evaluationPeriods: 3,
      comparison: "<",
      threshold: 1,
      missingData: "breaching",
      meaning:
        "No run has finished for three intervals: keyturn rotates nothing, and the other alarms on metrics of the namespace `keyturn` are unreliable. After the first deployment the alarm is in ALARM until the first run, at most one interval later.",
      next: "Is the schedule's rule enabled? Does the function start (see its log), and is it throttled (AWS/Lambda Throttles)? The messages in the dead-letter queue have the error. Nothing is lost: the next run resumes from the table.",
    },
    RunErrors: {
      ...repeated,
      metric: { namespace: "AWS/Lambda", metricName: "Errors", statistic: "Sum" },
      meaning:
        "At least two invocations in the period ended in an error, or Lambda ended them at their timeout.",
      next: "Read the last lines of the run in the log. If the table does not answer, the alarm TableErrors reports that too. If the configuration is invalid, the log has the path of each problem. Any other error is a bug or a faulty deployment: deploy the previous version, and report the error.",
    },
    TurnErrors: {
      ...repeated,
      metric: ours("PassesFailed", "Sum"),
      meaning:
        "Passes of managed keys, or audits, ended in an error more than once: these managed keys do not progress; all others do.",
      next: 'Search for "pass failed" in the log: the line has the managed key and the cause. If the table is the cause, TableErrors is in ALARM as well; any other cause is a bug: deploy the previous version, and report it.',
    },
    RunNearTimeLimit: {
      metric: { namespace: "AWS/Lambda", metricName: "Duration", statistic: "Maximum" },
      periodSeconds: 3 * Math.max(interval, 300),
      evaluationPeriods: 2,
      comparison: ">=",
      threshold: nearLimitMs,
      missingData: "notBreaching",
      meaning:
        "Consecutive runs use all their time: each next run resumes the work, but work falls due faster than the runs complete it. A single such run is harmless; a first deployment that enrols thousands of keys has many.",
      next: "Does KMS or DynamoDB answer slowly (see the times in the log)? Is quotaShare (the construct property: the share of the KMS request quota that a run may use) too small for the number of managed keys? Raise it or the function's timeout, or spread the keys over more accounts.",
    },
  };
}

/** The next run corrects a single error; a persistent one occurs twice in this time. */
function repeatedErrors({ intervalSeconds }: Timing) {
  return {
    periodSeconds: 2 * betweenPassesSeconds(intervalSeconds),
    evaluationPeriods: 1,
    comparison: ">=",
    threshold: 2,
    missingData: "notBreaching",
  } as const;
}

type OfSurroundings = "DeadLetters" | "TableErrors";

function ofSurroundings(timing: Timing): Record<OfSurroundings, AlarmDefinition> {
  return {
    DeadLetters: {
      metric: {
        namespace: "AWS/SQS",
        metricName: "ApproximateNumberOfMessagesVisible",
        statistic: "Maximum",
      },
      // After six idle hours a queue's metrics start with a delay of up to 15 minutes (SQS
      // developer guide, monitoring-using-cloudwatch).
      periodSeconds: 900,
      evaluationPeriods: 1,
      comparison: ">=",
      threshold: 1,
      missingData: "notBreaching",
      meaning:
        "A function failed on an event after all retries, or EventBridge could not deliver the event. A lost event of the schedule is harmless, because the next one starts the same work. A lost CloudTrail event may be a use attempt, and keyturn then did not restore the version. It may also be a refused use, and keyturn then did not count it. Or it may be a change by an external actor: keyturn then reports the change within a day.",
      next: "Read the messages: each has the event, and most have the error. Correct the cause. Then invoke the function again with each CloudTrail event. If DeadLetterQueueSourceArn of a message names the queue of refused uses, invoke the second function instead, with an event in the form of SQS: a list Records, each with a messageId and the body of a message. Finally purge the queue: the alarm stays in ALARM while the queue has messages.",
    },
    TableErrors: {
      ...repeatedErrors(timing),
      metric: ours("TableErrors", "Sum"),
      meaning:
        "DynamoDB refused requests or did not answer, after the SDK's own retries, more than once. A run then ends, and makes no change that it cannot record.",
      next: "Read DynamoDB's messages in the log. Does the table exist, and may the role read and write it? Is the table throttled, or is its KMS key or its endpoint unreachable? After the correction, runs resume from the table.",
    },
  };
}

type OfRotations = Exclude<AlarmName, OfRuns | OfSurroundings | RefusalAlarmName>;

function ofRotations(timing: Timing): Record<OfRotations, AlarmDefinition> {
  const whichOnes = "The dashboard's first table names it";
  return {
    RotationOverdue: {
      ...lasting(timing),
      metric: ours("Overdue", "Maximum"),
      // In two consecutive periods: keyturn immediately rotates a key that is enrolled past its
      // cryptoperiod, and that takes less time.
      evaluationPeriods: 2,
      meaning:
        "A managed key is past its cryptoperiod, and its rotation does not reach activation.",
      next: `${whichOnes}, and so does the finding OVERDUE; the other findings of that managed key report the cause: a pause, a rollback, a denied call, dependents that did not acknowledge. Each finding has the next command (docs/findings.md).`,
    },
    RotationHalted: {
      ...lasting(timing),
      metric: ours("RotationsHalted", "Maximum"),
      meaning:
        "A managed key is halted, usually because an external actor made a change that keyturn does not overwrite, or because KMS refuses the next call. If the change is to a retired version, only the rotation that retires this version halts, and the next rotation continues. Until the cause is corrected, keyturn by itself makes only two kinds of changes. It restores a version that is needed. It cancels a scheduled deletion if keyturn 0.1.0 scheduled it without an approval, or if KMS refused a caller that may need the version and no operator accepted the refusal. If the record is of another table (STATE_BEHIND_KMS), it only restores a version that a caller tried to use. Other keys continue. The finding SCHEMA_NEWER raises this alarm too.",
      next: `${whichOnes}. Read its finding (docs/findings.md), and follow its remedy. The managed key then continues within an hour, or after the request that the finding names.`,
    },
    VersionEndangered: {
      ...lasting(timing),
      metric: ours("Endangered", "Maximum"),
      meaning:
        "An external actor scheduled the deletion of a version, disabled a version, or removed a tag by which policies allow callers. Or a version that should exist is not in KMS. KMS deletes a key no sooner than seven days after ScheduleKeyDeletion.",
      next: `${whichOnes}. \`npx keyturn status <alias>\` shows the finding: DELETION_SCHEDULED_BY_OTHERS with the date of the deletion, DISABLED_BY_OTHERS or ACCESS_TAG_GONE. Run its command, which reverts the change. keyturn itself reverts one change only: after a use attempt on a version that keyturn disabled, it also cancels a deletion that an external actor scheduled. No command restores a deleted version (VERSION_DELETED). If CloudTrail delivered the event of the change, the log line "changed by an external actor" has the principal and the id of the event.`,
    },
    StepStuck: {
      ...lasting(timing),
      metric: ours("RotationsStuck", "Maximum"),
      meaning:
        "A step of a rotation lasts more than a day longer than its limit, or eight passes of a managed key failed in a row, or a claim expires too far in the future (CLOCK_SKEW). The limit follows from the policy: for distribute, twice `propagation`, plus `acknowledgeWithin` if there are dependents; for the drain, twice the sum of `drain.atLeast` and `drain.quietFor`.",
      next: `${whichOnes}, with the reason for the wait: a dependent, an approval, a version that is still in use, a call that fails repeatedly. Its findings have the next command (docs/findings.md).`,
    },
    ThrottlingPersistent: {
      ...lasting(timing),
      metric: ours("ThrottledInARow", "Maximum"),
      meaning:
        "KMS throttled a managed key in three passes in a row. Single throttled calls are harmless: keyturn repeats them later.",
      next: "Which other callers use the account's KMS request quota in this Region (AWS/Usage, CallCount of KMS)? Reduce their requests, lower quotaShare (the construct property: the share of the quota that a run may use), or request a higher quota.",
    },
  };
}
