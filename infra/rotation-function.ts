/** The first function, which makes the runs, and its environment (lambda/configuration/environment.ts). */
import { Duration } from "aws-cdk-lib";
import type * as events from "aws-cdk-lib/aws-events";
import type * as iam from "aws-cdk-lib/aws-iam";
import * as lambda from "aws-cdk-lib/aws-lambda";
import type * as logs from "aws-cdk-lib/aws-logs";
import type * as sqs from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import type { KeyRotationProps } from "./key-rotation-props.ts";
import type { Network } from "./network.ts";
import { noCodeYet } from "./package-code.ts";

/** Of a run. */
export const timeout = Duration.minutes(5);

export type RotationFunctionParts = {
  table: { readonly tableName: string };
  eventBus: events.IEventBus;
  deadLetterQueue: sqs.IQueue;
  role: iam.IRole;
  logGroup: logs.ILogGroup;
  network: Network | undefined;
};

export function createRotationFunction(
  scope: Construct,
  props: KeyRotationProps,
  { table, eventBus, deadLetterQueue, role, logGroup, network }: RotationFunctionParts,
): lambda.Function {
  const { discovery = "tagging", quotaShare = 0.4, reservedConcurrentExecutions } = props;
  return new lambda.Function(scope, "Function", {
    description: "keyturn: rotates KMS keys behind their aliases",
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: props.architecture ?? lambda.Architecture.ARM_64,
    handler: "handler.handler",
    code: noCodeYet,
    memorySize: 512,
    timeout,
    role,
    deadLetterQueue,
    logGroup,
    ...network,
    ...(reservedConcurrentExecutions === undefined ? {} : { reservedConcurrentExecutions }),
    environment: {
      KEYTURN_TABLE: table.tableName,
      KEYTURN_EVENT_BUS: eventBus.eventBusName,
      KEYTURN_DISCOVERY: discovery,
      KEYTURN_QUOTA_SHARE: String(quotaShare),
      KEYTURN_DRAIN_WATCH: props.watchDrain === false ? "none" : "cloudtrail",
      KEYTURN_REFUSALS_WATCH: props.watchRefusals === false ? "none" : "cloudtrail",
      KEYTURN_ROLE: role.roleName,
    },
  });
}
