/** Rules for CloudTrail's events of KMS on the default bus, which receives AWS's own events. */
import { Duration } from "aws-cdk-lib";
import * as events from "aws-cdk-lib/aws-events";
import type { TargetBaseProps } from "aws-cdk-lib/aws-events-targets";
import type * as sqs from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { detailType, eventSource } from "../lambda/inbound/cloudtrail.ts";
import { changingOperations } from "../lambda/inbound/key-change.ts";

/** Fields of a CloudTrail record, and the values of which each must have one. */
type Pattern = Record<string, unknown[]>;

export type KmsEvents = {
  description: string;
  /** The records: an event matches if its record matches one of these. */
  either: [Pattern, Pattern];
  target: events.IRuleTarget;
};

/**
 * One rule for all of `either`: EventBridge delivers by rule, and so one kind of event proves the
 * delivery of the others. Decrypt and similar calls count as read-only: without this state
 * EventBridge leaves them out (user guide, eb-service-event-cloudtrail-management).
 */
export function kmsEventsRule(
  scope: Construct,
  id: string,
  { description, either, target }: KmsEvents,
): events.Rule {
  const rule = ruleOf(scope, id, { description, detail: { $or: either }, target });
  const resource = rule.node.defaultChild as events.CfnRule;
  resource.state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";
  return rule;
}

/**
 * Successful calls that change a key or an alias, of every principal: `anything-but` does not match an absent field,
 * and so the pattern cannot leave the function's own calls out. They are not read-only: the state of the rule is the
 * default.
 */
export function keyChangesRule(
  scope: Construct,
  id: string,
  target: events.IRuleTarget,
): events.Rule {
  const description = "keyturn: changes to KMS keys and aliases";
  const detail = { eventName: [...changingOperations], errorCode: [{ exists: false }] };
  return ruleOf(scope, id, { description, detail, target });
}

type RuleOptions = Pick<KmsEvents, "description" | "target"> & { detail: Pattern };

function ruleOf(
  scope: Construct,
  id: string,
  { description, detail, target }: RuleOptions,
): events.Rule {
  return new events.Rule(scope, id, {
    description,
    eventPattern: {
      source: ["aws.kms"],
      detailType: [detailType],
      detail: { eventSource: [eventSource], ...detail },
    },
    targets: [target],
  });
}

/** Canaries with this mark (lambda/inbound/canary.ts). */
export function canaries(mark: string): Pattern {
  return { eventName: ["DescribeKey"], userAgent: [{ wildcard: `*${mark}*` }] };
}

/** EventBridge tries a delivery for a day, and then stores the event. */
export function deliveredOr(deadLetterQueue: sqs.IQueue): TargetBaseProps {
  return { deadLetterQueue, maxEventAge: Duration.hours(24), retryAttempts: 185 };
}
