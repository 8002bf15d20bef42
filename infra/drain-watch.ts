/** The rules that send CloudTrail's events of KMS to the function. */
import { Duration } from "aws-cdk-lib";
import * as events from "aws-cdk-lib/aws-events";
import * as targets from "aws-cdk-lib/aws-events-targets";
import type * as lambda from "aws-cdk-lib/aws-lambda";
import type * as sqs from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { canaryMark } from "../lambda/inbound/canary.ts";
import { stateErrors } from "../lambda/inbound/use-attempt.ts";

export type DrainWatchProps = { function: lambda.IFunction; deadLetterQueue: sqs.IQueue };

/**
 * Attempts to use a key that is out of use, and the function's own canary, which proves that they
 * would arrive. Decrypt and similar calls count as read-only: without this state EventBridge leaves
 * them out (user guide, eb-service-event-cloudtrail-management).
 */
export function watchDrain(scope: Construct, props: DrainWatchProps): void {
  const attempts = createRule(scope, "UseAttempts", props, {
    description: "keyturn: attempts to use a key that is out of use",
    detail: { errorCode: [...stateErrors] },
  });
  const canary = createRule(scope, "Canary", props, {
    description: "keyturn: canaries, which prove that KMS events arrive",
    detail: { eventName: ["DescribeKey"], userAgent: [{ wildcard: `*${canaryMark}*` }] },
  });
  for (const rule of [attempts, canary]) {
    const resource = rule.node.defaultChild as events.CfnRule;
    resource.state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";
  }
}

type Pattern = { description: string; detail: Record<string, unknown[]> };

/** On the default bus, which receives AWS's own events. */
function createRule(
  scope: Construct,
  id: string,
  props: DrainWatchProps,
  { description, detail }: Pattern,
): events.Rule {
  return new events.Rule(scope, id, {
    description,
    eventPattern: {
      source: ["aws.kms"],
      detailType: ["AWS API Call via CloudTrail"],
      detail: { eventSource: ["kms.amazonaws.com"], ...detail },
    },
    targets: [
      new targets.LambdaFunction(props.function, {
        deadLetterQueue: props.deadLetterQueue,
        maxEventAge: Duration.hours(24),
        retryAttempts: 185,
      }),
    ],
  });
}
