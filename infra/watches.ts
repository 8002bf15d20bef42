/** The rules that send CloudTrail's events of use attempts and of changes to the function. */
import type * as events from "aws-cdk-lib/aws-events";
import * as targets from "aws-cdk-lib/aws-events-targets";
import type * as lambda from "aws-cdk-lib/aws-lambda";
import type * as sqs from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { canaryMark } from "../lambda/inbound/canary.ts";
import { stateErrors } from "../lambda/inbound/use-attempt.ts";
import { canaries, deliveredOr, keyChangesRule, kmsEventsRule } from "./kms-events.ts";

/**
 * Uses that KMS refuses in these states have the same error, at any rate, and each invocation costs. The function
 * ignores them too: a pattern can be edited.
 */
const otherStates = ["pending import", "unavailable", "creating", "updating"];
const noOtherState = [
  { "anything-but": { suffix: otherStates.map((state) => ` is ${state}.`) } },
  { exists: false },
];

export type WatchProps = { function: lambda.IFunction; deadLetterQueue: sqs.IQueue };

/**
 * Attempts to use a key that is out of use, and the function's own canary, which proves that they
 * would arrive.
 */
export function watchDrain(scope: Construct, props: WatchProps): events.Rule {
  return kmsEventsRule(scope, "UseAttempts", {
    description: "keyturn: attempts to use a key that is out of use, and canaries",
    either: [{ errorCode: [...stateErrors], errorMessage: noOtherState }, canaries(canaryMark)],
    target: new targets.LambdaFunction(props.function, deliveredOr(props.deadLetterQueue)),
  });
}

/**
 * Changes by external actors. They have no canary, which would be a change: the daily inspection finds what is lost.
 */
export function watchChanges(scope: Construct, props: WatchProps): events.Rule {
  const target = new targets.LambdaFunction(props.function, deliveredOr(props.deadLetterQueue));
  return keyChangesRule(scope, "KeyChanges", target);
}
