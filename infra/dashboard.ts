/** The dashboard of one deployment: managed keys that need attention, and the next passes. */
import { Duration } from "aws-cdk-lib";
import * as cloudwatch from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import { betweenPassesSeconds } from "./alarm-model.ts";
import { type Alarms, metricOf, namesOf, type Watched } from "./alarms.ts";

export type DashboardProps = Omit<Watched, "timeout"> & {
  readonly alarms: Alarms;
  readonly logGroup: { readonly logGroupName: string };
};

type Query = { title: string; lines: string[] };

/** Queries of the log lines of lambda/telemetry/powertools.ts, which have the fields named here. */
export const queries = {
  stuck: {
    title: "Halted, endangered, stuck and overdue managed keys, by their last pass",
    lines: [
      'filter message = "rest"',
      "stats latest(condition) as state, latest(waitingFor) as waits_for, latest(due) as next_pass by alias",
      'filter state != "well"',
      "sort state asc, alias asc",
    ],
  },
  next: {
    title: "Next pass of each managed key, and what it waits for",
    lines: [
      'filter message = "rest" or message = "listed"',
      "stats latest(due) as next_pass, latest(waitingFor) as waits_for by alias",
      "sort next_pass asc",
      "limit 50",
    ],
  },
  findings: {
    title: "Findings by code (docs/findings.md)",
    lines: [
      'filter message = "finding"',
      "stats count(*) as opened, latest(alias) as last_of, latest(observed) as observed_state, latest(next) as next_command by code",
      "sort opened desc",
    ],
  },
  transitions: {
    title: "Latest transitions",
    lines: [
      'filter message = "transition"',
      "fields @timestamp, alias, step, decision, reason",
      "sort @timestamp desc",
      "limit 30",
    ],
  },
} satisfies Record<string, Query>;

/** The audit lists every managed key once a week: this range contains each of them. */
const range = Duration.days(8);

export function createDashboard(
  scope: Construct,
  id: string,
  props: DashboardProps,
): cloudwatch.Dashboard {
  const { alarms, logGroup } = props;
  const table = ({ title, lines }: Query, height: number): cloudwatch.IWidget =>
    new cloudwatch.LogQueryWidget({
      title,
      logGroupNames: [logGroup.logGroupName],
      queryLines: lines,
      width: 24,
      height,
    });
  return new cloudwatch.Dashboard(scope, id, {
    defaultInterval: range,
    widgets: [
      [new cloudwatch.AlarmStatusWidget({ alarms: Object.values(alarms), width: 24, height: 3 })],
      atAGlance(props),
      [table(queries.stuck, 6)],
      [table(queries.next, 8)],
      [table(queries.findings, 6)],
      courses(props),
      [table(queries.transitions, 8)],
    ],
  });
}

/** One number each: without problems, all but the first two are zero. */
function atAGlance(props: DashboardProps): cloudwatch.IWidget[] {
  const names = namesOf(props);
  // The period of the alarms: every managed key with work had a pass in it.
  const seconds = betweenPassesSeconds(props.interval.toSeconds());
  const number = (
    title: string,
    name: string,
    statistic: "Sum" | "Maximum" = "Maximum",
    periodSeconds = seconds,
  ): cloudwatch.IWidget =>
    new cloudwatch.SingleValueWidget({
      title,
      metrics: [ours(name, statistic, names, periodSeconds)],
      width: 4,
      height: 4,
    });
  return [
    number("Managed keys", "ManagedKeys", "Maximum", range.toSeconds()),
    number("Runs", "Heartbeat", "Sum"),
    number("Overdue", "Overdue"),
    number("Oldest overdue", "OldestOverdueAge"),
    number("Halted", "RotationsHalted"),
    number("Stuck", "RotationsStuck"),
  ];
}

function courses(props: DashboardProps): cloudwatch.IWidget[] {
  const names = namesOf(props);
  const graph = (title: string, statistic: "Sum" | "Maximum", of: string[]): cloudwatch.IWidget =>
    new cloudwatch.GraphWidget({
      title,
      left: of.map((name) => ours(name, statistic, names, 3600)),
      leftYAxis: { min: 0 },
      width: 8,
      height: 6,
    });
  return [
    graph("Rotations", "Sum", ["RotationsStarted", "RotationsCompleted"]),
    graph("Runs", "Maximum", ["RunDuration"]),
    graph("Errors and use attempts", "Sum", [
      "PassesFailed",
      "TableErrors",
      "Throttles",
      "UseAttempts",
    ]),
  ];
}

function ours(
  metricName: string,
  statistic: "Sum" | "Maximum",
  names: ReturnType<typeof namesOf>,
  periodSeconds: number,
): cloudwatch.Metric {
  return metricOf({ namespace: "keyturn", metricName, statistic }, names, periodSeconds);
}
