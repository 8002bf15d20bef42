/** Creates the alarms of alarm-definitions.ts for one deployment; the user attaches actions. */
import { Duration } from "aws-cdk-lib";
import * as cloudwatch from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import { alarmDefinitions, type AlarmName } from "./alarm-definitions.ts";
import {
  type AlarmDefinition,
  dimensionsOf,
  type MetricDefinition,
  type Names,
} from "./alarm-model.ts";
import { refusalAlarmNames, type RefusalAlarmName } from "./refusal-alarms.ts";

type CollectorNames = {
  readonly function: { readonly functionName: string };
  readonly queue: { readonly queueName: string };
};

/** Only the names count: constructs have them. */
export type Watched = {
  readonly function: { readonly functionName: string };
  readonly table: { readonly tableName: string };
  readonly deadLetterQueue: { readonly queueName: string };
  /** Undefined where refused uses are not collected. */
  readonly refusedUses: CollectorNames | undefined;
  /** The time between two runs of the schedule: a day at most. */
  readonly interval: Duration;
  /** Lambda ends a run after this time. */
  readonly timeout: Duration;
};

/** Those of refused uses are absent where refused uses are not collected. */
export type Alarms = Readonly<Record<Exclude<AlarmName, RefusalAlarmName>, cloudwatch.Alarm>> &
  Readonly<Partial<Record<RefusalAlarmName, cloudwatch.Alarm>>>;

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
  const absent: readonly string[] = watched.refusedUses === undefined ? refusalAlarmNames : [];
  const created = Object.entries(definitions)
    .filter(([name]) => !absent.includes(name))
    .map(([name, definition]) => [name, createAlarm(within, name, definition, names)] as const);
  return Object.fromEntries(created) as unknown as Alarms;
}

type Named = "table" | "function" | "deadLetterQueue" | "refusedUses";

export function namesOf(watched: Pick<Watched, Named>): Names {
  const { table, function: run, deadLetterQueue, refusedUses } = watched;
  return {
    tableName: table.tableName,
    functionName: run.functionName,
    queueName: deadLetterQueue.queueName,
    refusedUses: refusedUses && {
      functionName: refusedUses.function.functionName,
      queueName: refusedUses.queue.queueName,
    },
  };
}

export function metricOf(
  metric: MetricDefinition,
  names: Names,
  periodSeconds: number,
): cloudwatch.Metric {
  const { namespace, metricName, statistic } = metric;
  return new cloudwatch.Metric({
    namespace,
    metricName,
    statistic,
    dimensionsMap: dimensionsOf(metric, names),
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
