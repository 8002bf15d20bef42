/**
 * The alarms as plain data, from which the CDK alarms, docs/alarms.md and the proof are made. Each
 * alarm of a condition that lasts looks back over as long as a managed key can be without a turn, so
 * that it stays on until the condition ends, and goes off by itself then.
 */
import { leavingOffMs, recheckMs, requestLimitMs } from "../lambda/workflow/model/limits.ts";

export type AlarmName =
  | "HeartbeatMissing"
  | "RunErrors"
  | "TurnErrors"
  | "RunNearTimeLimit"
  | "DeadLetters"
  | "RotationOverdue"
  | "RotationHalted"
  | "StepStuck"
  | "ThrottlingPersistent"
  | "TableErrors";

export type Namespace = "keyturn" | "AWS/Lambda" | "AWS/SQS";

export type MetricDefinition = {
  namespace: Namespace;
  metricName: string;
  statistic: "Sum" | "Maximum";
};

export type AlarmDefinition = {
  metric: MetricDefinition;
  /** What counts where the metric has no data. */
  filledWith?: number;
  periodSeconds: number;
  /** So many periods of the last `evaluationPeriods` must breach; here always all of them. */
  evaluationPeriods: number;
  comparison: ">=" | "<";
  threshold: number;
  missingData: "breaching" | "notBreaching";
  meaning: string;
  /** What to do next. */
  next: string;
};

export type Timing = { intervalSeconds: number; timeoutSeconds: number };

/** Whose metrics they are: each namespace's dimensions, as the service and Powertools emit them. */
export type Names = { tableName: string; functionName: string; queueName: string };

export function dimensionsOf(namespace: Namespace, names: Names): Record<string, string> {
  switch (namespace) {
    case "keyturn":
      return { service: "keyturn", table: names.tableName };
    case "AWS/Lambda":
      return { FunctionName: names.functionName };
    case "AWS/SQS":
      return { QueueName: names.queueName };
  }
}

const ours = (metricName: string, statistic: "Sum" | "Maximum"): MetricDefinition => ({
  namespace: "keyturn",
  metricName,
  statistic,
});

/** CloudWatch: an alarm looks back a week at most (API reference, PutMetricAlarm, Period). */
export const longestIntervalSeconds = 86_400;

/** A metric has one value a minute, and a period is so many minutes. */
function inMinutes(seconds: number): number {
  return Math.ceil(seconds / 60) * 60;
}

/**
 * The longest that a managed key that needs a person, or KMS, is without a turn: the hour, the three
 * runs after it of which one may be lost, and a quarter of an hour in which they may be slow.
 */
export function betweenPassesSeconds(intervalSeconds: number): number {
  return inMinutes(recheckMs / 1000 + 3 * intervalSeconds + 900);
}

/** Throws a RangeError where the runs are too far apart for any alarm. */
export function alarmDefinitions(timing: Timing): Record<AlarmName, AlarmDefinition> {
  if (timing.intervalSeconds > longestIntervalSeconds) {
    throw new RangeError(`interval: alarms need a run a day, got ${timing.intervalSeconds} s`);
  }
  return { ...ofRuns(timing), ...ofSurroundings(timing), ...ofRotations(timing) };
}

type OfRuns = "HeartbeatMissing" | "RunErrors" | "TurnErrors" | "RunNearTimeLimit";

function ofRuns(timing: Timing): Record<OfRuns, AlarmDefinition> {
  const interval = inMinutes(timing.intervalSeconds);
  const repeated = repeatedErrors(timing);
  // A run that begins to leave off is that near; what Lambda adds to a run is within the second half.
  const nearLimitMs = timing.timeoutSeconds * 1000 - leavingOffMs - requestLimitMs;
  return {
    HeartbeatMissing: {
      // Filled, since CloudWatch looks further back than it is told to where data is missing, and an
      // alarm of silence would wait until no run is left in sight (user guide, alarms-and-missing-data).
      metric: ours("Heartbeat", "Sum"),
      filledWith: 0,
      periodSeconds: interval,
      evaluationPeriods: 3,
      comparison: "<",
      threshold: 1,
      missingData: "breaching",
      meaning:
        "No run has come to its end for three intervals: nothing is rotated, and no other alarm of keyturn's own metrics can be trusted. After the first deployment it is on until the first run, one interval later at most.",
      next: "Is the schedule's rule enabled? Does the function start (its log), and is it throttled (AWS/Lambda Throttles)? What waits in the dead-letter queue says why it did not run. Nothing is lost meanwhile: the next run goes on from the table.",
    },
    RunErrors: {
      ...repeated,
      metric: { namespace: "AWS/Lambda", metricName: "Errors", statistic: "Sum" },
      meaning:
        "Runs ended in an error, or were killed when their time was up: one such is put right by its second attempt, and this was not.",
      next: "Look for the last words of the run in the log. A table that does not answer has an alarm of its own, TableErrors; a wrong configuration is named with its path. Anything else is a bug or a wrong deployment: go back to the version before, and report it.",
    },
    TurnErrors: {
      ...repeated,
      metric: ours("TurnsFailed", "Sum"),
      meaning:
        "Turns of managed keys, or the audit, ended in an error more than once: what fails time after time stays where it is, and the others go on.",
      next: 'Look for "turn failed" in the log: it names the managed key, and the cause. Where the table is the cause, TableErrors is on as well; anything else is a bug: go back to the version before, and report it.',
    },
    RunNearTimeLimit: {
      metric: { namespace: "AWS/Lambda", metricName: "Duration", statistic: "Maximum" },
      periodSeconds: 3 * Math.max(interval, 300),
      evaluationPeriods: 2,
      comparison: ">=",
      threshold: nearLimitMs,
      missingData: "notBreaching",
      meaning:
        "Run after run uses up its time: it leaves off, and the next one goes on, but more falls due than is done. One such run is no matter; a first deployment that enrols thousands of keys has many.",
      next: "Does KMS or DynamoDB answer slowly (the log's times)? Are there so many managed keys that quotaShare is too small for them? Raise quotaShare, or the function's timeout, or spread the keys over more accounts.",
    },
  };
}

/** One error is put right by the next run; what fails time after time fails twice in this time. */
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
      // A queue that was idle for six hours takes up to 15 minutes to tell (SQS developer guide,
      // monitoring-using-cloudwatch).
      periodSeconds: 900,
      evaluationPeriods: 1,
      comparison: ">=",
      threshold: 1,
      missingData: "notBreaching",
      meaning:
        "Events that should have started a run failed for good, or could not be delivered. A lost tick of the schedule is no loss, since the next one does its work; an event of CloudTrail may be a use of a key that is out of use, and nobody gave it back.",
      next: "Read the messages: each has the event, and the error. For a CloudTrail event, invoke the function with it once more. Then put right what made them fail, and purge the queue: the alarm lasts as long as they do.",
    },
    TableErrors: {
      ...repeatedErrors(timing),
      metric: ours("TableErrors", "Sum"),
      meaning:
        "DynamoDB refused or did not answer, after the SDK's own retries, more than once. Runs end there, and change nothing that they cannot put on record.",
      next: "The log has DynamoDB's words. Is the table there, and may the role read and write it? Is it throttled, or its key or endpoint out of reach? Then wait: runs go on from what the table has.",
    },
  };
}

type OfRotations = Exclude<AlarmName, OfRuns | OfSurroundings>;

function ofRotations(timing: Timing): Record<OfRotations, AlarmDefinition> {
  const lasting = {
    periodSeconds: betweenPassesSeconds(timing.intervalSeconds),
    evaluationPeriods: 1,
    comparison: ">=",
    threshold: 1,
    missingData: "notBreaching",
  } as const;
  const whichOnes = "The dashboard's table of what is stuck names it";
  return {
    RotationOverdue: {
      ...lasting,
      metric: ours("Overdue", "Maximum"),
      // In two periods on end: a key that was enrolled past its cryptoperiod is rotated at once, and
      // that takes less.
      evaluationPeriods: 2,
      meaning:
        "A managed key is past its cryptoperiod, and its rotation does not come to its activation.",
      next: `${whichOnes}, and so does the finding OVERDUE; its other findings say what holds it: a pause, a rollback, a denied call, dependents that did not acknowledge. Each has the next command to type (docs/findings.md).`,
    },
    RotationHalted: {
      ...lasting,
      metric: ours("RotationsHalted", "Maximum"),
      meaning:
        "A managed key is halted: somebody changed something that keyturn does not overwrite, or KMS refuses what is next. Nothing of it moves until a person has looked; other keys go on.",
      next: `${whichOnes}. Read its finding (docs/findings.md), and do what it says. It goes on by itself within the hour once the world is right.`,
    },
    StepStuck: {
      ...lasting,
      metric: ours("RotationsStuck", "Maximum"),
      meaning:
        "A rotation is longer in its step than its policy allows for, by a day (drain: twice its time), or eight turns of a managed key in a row came to nothing.",
      next: `${whichOnes}, with what it waits for: a dependent, an approval, a version that is still in use, a call that fails time after time. Its findings have the command to type (docs/findings.md).`,
    },
    ThrottlingPersistent: {
      ...lasting,
      metric: ours("ThrottledInARow", "Maximum"),
      meaning:
        "KMS throttled a managed key in three turns on end. Single throttled calls are no matter: they are made again later.",
      next: "Who else spends the account's KMS request quota in this Region (AWS/Usage, CallCount of KMS)? Have them spend less, lower quotaShare, or ask for a higher quota.",
    },
  };
}
