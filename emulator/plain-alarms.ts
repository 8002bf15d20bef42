/** For an emulator whose CloudFormation refuses alarms on metric math. */
import type { Stack } from "aws-cdk-lib";
import { CfnAlarm } from "aws-cdk-lib/aws-cloudwatch";

/** Each alarm on an expression is one on the metric in it: what `FILL` fills in is lost. */
export function withoutMetricMath(stack: Stack): void {
  for (const alarm of stack.node.findAll()) {
    if (!(alarm instanceof CfnAlarm) || !Array.isArray(alarm.metrics)) continue;
    const queries = alarm.metrics as CfnAlarm.MetricDataQueryProperty[];
    const stat = queries.map(({ metricStat }) => metricStat).find((one) => one !== undefined);
    if (stat === undefined) throw new Error(`${alarm.node.path}: no metric in its expression`);
    const { metric, period, stat: statistic } = stat as CfnAlarm.MetricStatProperty;
    const { namespace, metricName, dimensions } = metric as CfnAlarm.MetricProperty;
    // What the compiler calls optional may not be undefined, and has to be taken away all the same.
    Object.assign(alarm, { metrics: undefined, namespace, metricName, dimensions, statistic });
    alarm.period = period;
  }
}
