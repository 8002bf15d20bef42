/** The alarms and dashboards of a synthesised template, with resolved references. */
import type { Template } from "aws-cdk-lib/assertions";
import { seriesOf, type Watched } from "./cloudwatch.ts";

type Dimension = { Name: string; Value: unknown };
type Named = { Namespace: string; MetricName: string; Dimensions: Dimension[] };
type Query = {
  Id: string;
  Expression?: string;
  MetricStat?: { Metric: Named; Period: number; Stat: "Sum" | "Maximum" };
  ReturnData?: boolean;
};
type Properties = Named & {
  Period: number;
  Statistic: "Sum" | "Maximum";
  Metrics?: Query[];
  EvaluationPeriods: number;
  DatapointsToAlarm: number;
  ComparisonOperator: string;
  Threshold: number;
  TreatMissingData: string;
  AlarmDescription: string;
};

/** By their logical ids. */
export function alarmProperties(template: Template): Record<string, Properties> {
  const found = template.findResources("AWS::CloudWatch::Alarm") as Record<
    string,
    { Properties: Properties }
  >;
  return Object.fromEntries(Object.entries(found).map(([id, { Properties }]) => [id, Properties]));
}

/** `resolve` returns the deployed value of a reference. */
export function watchedBy(
  name: string,
  alarm: Properties,
  resolve: (reference: unknown) => string,
): Watched {
  const series = ({ Namespace, MetricName, Dimensions }: Named): string =>
    seriesOf({
      namespace: Namespace,
      metricName: MetricName,
      dimensions: Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, resolve(Value)])),
    });
  const common = {
    name,
    evaluationPeriods: alarm.EvaluationPeriods,
    datapointsToAlarm: alarm.DatapointsToAlarm,
    comparison: alarm.ComparisonOperator,
    threshold: alarm.Threshold,
    missingData: alarm.TreatMissingData,
  };
  if (alarm.Metrics === undefined) {
    const { Statistic: statistic, Period } = alarm;
    return { ...common, series: series(alarm), statistic, periodMs: Period * 1000 };
  }
  const stat = alarm.Metrics.find(({ MetricStat }) => MetricStat !== undefined)?.MetricStat;
  const { Expression = "" } = alarm.Metrics.find(({ ReturnData }) => ReturnData === true) ?? {};
  const [, filledWith] = /^FILL\(\w+, (\d+)\)$/.exec(Expression) ?? [];
  if (stat === undefined || filledWith === undefined || alarm.Metrics.length !== 2) {
    throw new Error(`${name}: unsupported expression ${Expression}`);
  }
  const periodMs = stat.Period * 1000;
  const of = { series: series(stat.Metric), statistic: stat.Stat, filledWith: Number(filledWith) };
  return { ...common, ...of, periodMs };
}
