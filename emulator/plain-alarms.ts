/** For an emulator whose CloudFormation rejects alarms on metric math. */
import type { Stack } from "aws-cdk-lib";
import { CfnAlarm } from "aws-cdk-lib/aws-cloudwatch";

/** Replaces each alarm on an expression by one on its metric, without the effect of `FILL`. */
export function withoutMetricMath(stack: Stack): void {
  for (const alarm of stack.node.findAll()) {
    if (!(alarm instanceof CfnAlarm) || !Array.isArray(alarm.metrics)) continue;
    const queries = alarm.metrics as CfnAlarm.MetricDataQueryProperty[];
    const stat = queries.map(({ metricStat }) => metricStat).find((one) => one !== undefined);
    if (stat === undefined) throw new Error(`${alarm.node.path}: no metric in its expression`);
    const { metric, period, stat: statistic } = stat as CfnAlarm.MetricStatProperty;
    const { namespace, metricName, dimensions } = metric as CfnAlarm.MetricProperty;
    // `Object.assign`: the types do not allow undefined for the optional `metrics`.
    Object.assign(alarm, { metrics: undefined, namespace, metricName, dimensions, statistic });
    alarm.period = period;
  }
}
