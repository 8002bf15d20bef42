/** What the checkers that others wrote find, and why it is as it is: each of it with its reason. */
import { CfnResource, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** Of cdk-nag (AwsSolutions, NIST 800-53 R5) and of checkov. */
export type Acknowledged = { nag: string[]; checkov: string[]; reason: string };

const keyOfOwn =
  "with a customer managed key the role would need cryptographic rights, and it has none on any key";

export const acknowledged = {
  table: [
    { nag: [], checkov: ["CKV_AWS_119"], reason: keyOfOwn },
    {
      nag: ["NIST.800.53.R5-DynamoDBInBackupPlan"],
      checkov: [],
      reason: "point-in-time recovery is on; a backup plan is the account's to have",
    },
  ],
  queue: [
    { nag: [], checkov: ["CKV_AWS_27"], reason: keyOfOwn },
    {
      nag: ["AwsSolutions-SQS3"],
      checkov: [],
      reason: "it is a dead-letter queue: of the function and of its rules",
    },
  ],
  log: [
    {
      nag: ["NIST.800.53.R5-CloudWatchLogGroupEncrypted"],
      checkov: ["CKV_AWS_158"],
      reason: "it holds no secret and no data, and is encrypted by CloudWatch's own key",
    },
  ],
  role: [
    {
      nag: ["AwsSolutions-IAM5[Resource::*]"],
      checkov: [],
      reason: "CreateKey, ListAliases, ListKeys and GetResources know no resource",
    },
    {
      nag: [
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*]",
      ],
      checkov: [],
      reason: "the keys are made by the function; tags in the conditions say which are its own",
    },
    {
      nag: ["NIST.800.53.R5-IAMNoInlinePolicy"],
      checkov: [],
      reason: "the policy is of this role alone, and means nothing without it",
    },
  ],
  function: [
    { nag: [], checkov: ["CKV_AWS_173"], reason: `no variable is a secret; ${keyOfOwn}` },
    {
      nag: ["NIST.800.53.R5-LambdaConcurrency"],
      checkov: ["CKV_AWS_115"],
      reason: "a new account has no concurrency to reserve: reservedConcurrentExecutions does",
    },
    {
      nag: ["NIST.800.53.R5-LambdaInsideVPC"],
      checkov: ["CKV_AWS_117"],
      reason: "it talks to AWS's public endpoints alone, and listens to nothing",
    },
  ],
  alarm: [
    {
      nag: ["NIST.800.53.R5-CloudWatchAlarmAction"],
      checkov: [],
      reason: "whom they tell is for those who deploy to say: alarmTopic",
    },
  ],
} satisfies Record<string, Acknowledged[]>;

/** Puts the reasons where the checkers of whoever uses the construct look for them. */
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
