/** The rule that sends CloudTrail's events of use attempts to the function. */
import type * as events from "aws-cdk-lib/aws-events";
import * as targets from "aws-cdk-lib/aws-events-targets";
import type * as lambda from "aws-cdk-lib/aws-lambda";
import type * as sqs from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { canaryMark } from "../lambda/inbound/canary.ts";
import { stateErrors } from "../lambda/inbound/use-attempt.ts";
import { canaries, deliveredOr, kmsEventsRule } from "./kms-events.ts";

export type DrainWatchProps = { function: lambda.IFunction; deadLetterQueue: sqs.IQueue };

/**
 * Attempts to use a key that is out of use, and the function's own canary, which proves that they
 * would arrive.
 */
export function watchDrain(scope: Construct, props: DrainWatchProps): events.Rule {
  return kmsEventsRule(scope, "UseAttempts", {
    description: "keyturn: attempts to use a key that is out of use, and canaries",
    either: [{ errorCode: [...stateErrors] }, canaries(canaryMark)],
    target: new targets.LambdaFunction(props.function, deliveredOr(props.deadLetterQueue)),
  });
}
