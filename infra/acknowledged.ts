/** The findings of third-party checkers that keyturn accepts, each with its reason. */
import { CfnResource, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** Rules of cdk-nag (AwsSolutions, NIST 800-53 R5) and of checkov. */
export type Acknowledged = { nag: string[]; checkov: string[]; reason: string };

const noOwnKey =
  "with a customer managed key the role would need cryptographic rights, and it has none on any key";

const inlinePolicy: Acknowledged = {
  nag: ["NIST.800.53.R5-IAMNoInlinePolicy"],
  checkov: [],
  reason: "the policy belongs to this role alone, and has no use without it",
};

export const acknowledged = {
  functions: [
    { nag: [], checkov: ["CKV_AWS_173"], reason: `no variable is a secret; ${noOwnKey}` },
  ],
  outsideVpc: [
    {
      nag: ["NIST.800.53.R5-LambdaInsideVPC"],
      checkov: ["CKV_AWS_117"],
      reason: "it calls only AWS's public endpoints, and accepts no connections",
    },
  ],
  inVpc: [
    {
      nag: ["AwsSolutions-IAM5[Resource::*]"],
      checkov: [],
      reason: "Lambda, and not the function's code, manages interfaces whose ids it chooses",
    },
  ],
  table: [
    { nag: [], checkov: ["CKV_AWS_119"], reason: noOwnKey },
    {
      nag: ["NIST.800.53.R5-DynamoDBInBackupPlan"],
      checkov: [],
      reason: "point-in-time recovery is on; a backup plan belongs to the account",
    },
  ],
  queueKey: [{ nag: [], checkov: ["CKV_AWS_27"], reason: noOwnKey }],
  queue: [
    {
      nag: ["AwsSolutions-SQS3"],
      checkov: [],
      reason: "it is the dead-letter queue of the function and its rules",
    },
  ],
  logKey: [
    {
      nag: ["NIST.800.53.R5-CloudWatchLogGroupEncrypted"],
      checkov: ["CKV_AWS_158"],
      reason: "it contains no secret and no data, and CloudWatch encrypts it with its own key",
    },
  ],
  role: [
    {
      nag: ["AwsSolutions-IAM5[Resource::*]"],
      checkov: [],
      reason: "CreateKey, ListAliases, ListKeys and GetResources have no resource in IAM",
    },
    {
      nag: [
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*]",
      ],
      checkov: [],
      reason: "the function creates the keys; tags in the conditions identify its own",
    },
    inlinePolicy,
  ],
  function: [
    {
      nag: ["NIST.800.53.R5-LambdaConcurrency"],
      checkov: ["CKV_AWS_115"],
      reason: "a new account has no concurrency to reserve; reservedConcurrentExecutions sets it",
    },
  ],
  collectorRole: [inlinePolicy],
  collector: [
    {
      nag: ["NIST.800.53.R5-LambdaConcurrency"],
      checkov: ["CKV_AWS_115"],
      reason: "its event source limits it to two invocations at a time",
    },
    {
      nag: ["NIST.800.53.R5-LambdaDLQ"],
      checkov: ["CKV_AWS_116"],
      reason: "its queue moves messages that it cannot store to the dead-letter queue",
    },
  ],
  alarm: [
    {
      nag: ["NIST.800.53.R5-CloudWatchAlarmAction"],
      checkov: [],
      reason: "the deployment chooses who is notified: alarmTopic",
    },
  ],
} satisfies Record<string, Acknowledged[]>;

/** The findings on a function: those of its own, and those of both. */
export function ofFunction(own: Acknowledged[], inVpc: boolean): Acknowledged[] {
  return [...acknowledged.functions, ...(inVpc ? [] : acknowledged.outsideVpc), ...own];
}

/** Records the reasons where the checkers of the construct's users read them. */
export function acknowledge(scope: IConstruct, all: Acknowledged[]): void {
  for (const { nag, reason } of all) {
    for (const id of nag) Validations.of(scope).acknowledge({ id, reason });
  }
  const skip = all.flatMap(({ checkov, reason }) => checkov.map((id) => ({ id, comment: reason })));
  const resource = scope.node.defaultChild;
  if (skip.length > 0 && resource instanceof CfnResource) {
    resource.addMetadata("checkov", { skip });
  }
}
