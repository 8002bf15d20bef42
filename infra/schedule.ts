/** The rule that starts the runs. */
import { Duration } from "aws-cdk-lib";
import * as events from "aws-cdk-lib/aws-events";
import * as targets from "aws-cdk-lib/aws-events-targets";
import type * as lambda from "aws-cdk-lib/aws-lambda";
import type * as sqs from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";

type Scheduled = { readonly function: lambda.Function; readonly deadLetterQueue: sqs.IQueue };

export function createSchedule(
  scope: Construct,
  { function: target, deadLetterQueue }: Scheduled,
  interval: Duration,
): events.Rule {
  // The next run does the work of a lost one: a late run is of no use.
  const sixHours = Duration.hours(6);
  const maxEventAge = interval.toSeconds() < sixHours.toSeconds() ? interval : sixHours;
  // A use attempt is worth all of Lambda's retries; a late event of the schedule finds nothing
  // due.
  target.configureAsyncInvoke({ maxEventAge: sixHours, retryAttempts: 2 });
  return new events.Rule(scope, "Schedule", {
    description: "keyturn: starts a run",
    schedule: events.Schedule.rate(interval),
    targets: [
      new targets.LambdaFunction(target, { deadLetterQueue, maxEventAge, retryAttempts: 2 }),
    ],
  });
}
