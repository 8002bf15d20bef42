/** Creates the alarms of alarm-definitions.ts for one deployment; the user attaches actions. */
import { Duration } from "aws-cdk-lib";
import * as cloudwatch from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import {
  type AlarmDefinition,
  alarmDefinitions,
  type AlarmName,
  dimensionsOf,
  type MetricDefinition,
  type Names,
} from "./alarm-definitions.ts";

/** Only the names count: constructs have them. */
export type Watched = {
  readonly function: { readonly functionName: string };
  readonly table: { readonly tableName: string };
  readonly deadLetterQueue: { readonly queueName: string };
  /** The time between two runs of the schedule: a day at most. */
  readonly interval: Duration;
  /** Lambda ends a run after this time. */
  readonly timeout: Duration;
};

export type Alarms = Readonly<Record<AlarmName, cloudwatch.Alarm>>;

/**
 * Creates the alarms in `scope`, without actions:
 * `for (const alarm of Object.values(alarms)) alarm.addAlarmAction(new SnsAction(topic))`.
 * CloudFormation names them: deployments do not collide.
 */
export function createAlarms(scope: Construct, watched: Watched): Alarms {
  const definitions = alarmDefinitions({
    intervalSeconds: watched.interval.toSeconds(),
    timeoutSeconds: watched.timeout.toSeconds(),
  });
  const names = namesOf(watched);
  const within = new Construct(scope, "Alarms");
  const created = Object.entries(definitions).map(([name, definition]) => {
    return [name, createAlarm(within, name, definition, names)] as const;
  });
  return Object.fromEntries(created) as Record<AlarmName, cloudwatch.Alarm>;
}

export function namesOf(watched: Pick<Watched, "table" | "function" | "deadLetterQueue">): Names {
  const { table, function: run, deadLetterQueue } = watched;
  return {
    tableName: table.tableName,
    functionName: run.functionName,
    queueName: deadLetterQueue.queueName,
  };
}

export function metricOf(
  { namespace, metricName, statistic }: MetricDefinition,
  names: Names,
  periodSeconds: number,
): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace,
    metricName,
    statistic,
    dimensionsMap: dimensionsOf(namespace, names),
    period: Duration.seconds(periodSeconds),
  });
}

function createAlarm(
  scope: Construct,
  name: string,
  definition: AlarmDefinition,
  names: Names,
): cloudwatch.Alarm {
  const { meaning, next, evaluationPeriods, threshold, comparison, missingData } = definition;
  const { ComparisonOperator, TreatMissingData } = cloudwatch;
  return new cloudwatch.Alarm(scope, name, {
    alarmDescription: `${meaning} Next: ${next} (docs/alarms.md#${name.toLowerCase()})`,
    metric: whatCounts(definition, names),
    evaluationPeriods,
    datapointsToAlarm: evaluationPeriods,
    threshold,
    comparisonOperator:
      comparison === "<"
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData:
      missingData === "breaching" ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
  });
}

function whatCounts(definition: AlarmDefinition, names: Names): cloudwatch.IMetric {
  const { periodSeconds, filledWith } = definition;
  const metric = metricOf(definition.metric, names, periodSeconds);
  if (filledWith === undefined) return metric;
  return new cloudwatch.MathExpression({
    expression: `FILL(metric, ${filledWith})`,
    usingMetrics: { metric },
    period: Duration.seconds(periodSeconds),
  });
}
