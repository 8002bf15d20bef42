import type { Duration } from "aws-cdk-lib";
import type * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import type * as ec2 from "aws-cdk-lib/aws-ec2";
import type * as events from "aws-cdk-lib/aws-events";
import type * as iam from "aws-cdk-lib/aws-iam";
import type * as kms from "aws-cdk-lib/aws-kms";
import type * as lambda from "aws-cdk-lib/aws-lambda";
import type * as logs from "aws-cdk-lib/aws-logs";
import type * as sns from "aws-cdk-lib/aws-sns";
import type { RotationPolicy } from "./rotation-policy.ts";

/** A principal, and which of its refused uses are on purpose. */
export interface AcceptedRefusal {
  /**
   * The managed key, or a pattern with `*` for any characters.
   * @default "alias/*"
   */
  readonly alias?: string;

  /** The principal as findings show it, without the name of a session. No pattern. */
  readonly principal: string;

  /**
   * An operation of KMS, or `*`.
   * @default "*"
   */
  readonly operation?: string;

  /**
   * An error such as `AccessDenied`, or `*`.
   * @default "*"
   */
  readonly error?: string;
}

export interface KeyRotationProps {
  /** The policies, by the names for `manage()`. */
  readonly policies: Record<string, RotationPolicy>;

  /**
   * The value of the tag `keyturn:owner` on every key of this deployment. keyturn never changes
   * keys of another owner, and so this value must not change.
   * @default - from the path of this construct
   */
  readonly owner?: string;

  /**
   * In mode "plan" the function only reports its planned calls, and its role may change no key.
   * @default "act"
   */
  readonly mode?: "act" | "plan";

  /**
   * Patterns of the aliases that the tag `keyturn:policy` may enrol, with `*` for any characters,
   * such as `alias/team-*`. The role may move these aliases and those in `manage()`: a principal
   * that may tag keys can have them rotated.
   * @default - none: the tag enrols no key, and a finding reports it
   */
  readonly taggedAliases?: string[];

  /**
   * The time between two runs. A rotation takes several runs for each step.
   * @default Duration.minutes(5)
   */
  readonly interval?: Duration;

  /**
   * The bus for events to dependents, with the source `keyturn`.
   * @default - the default bus of the account and Region
   */
  readonly eventBus?: events.IEventBus;

  /**
   * An existing table with keyturn's state, or its name: one that was restored from a backup
   * (docs/operations.md). keyturn changes no key before an operator has reconciled each record. Once given, leave
   * it: without it the construct would create another table, which is empty.
   * @default - the construct creates a table, which outlives the stack
   */
  readonly stateTable?: dynamodb.ITable | string;

  /**
   * How the function finds keys by tag: with the Resource Groups Tagging API, or by listing all
   * keys where that API is unavailable.
   * @default "tagging"
   */
  readonly discovery?: "tagging" | "walk";

  /**
   * The share of each KMS request quota that a run may spend: from 0.01 to 1. The rest is for other
   * callers in the account and Region.
   * @default 0.4
   */
  readonly quotaShare?: number;

  /**
   * The retention of the log, which has every transition. The log outlives the stack.
   * @default logs.RetentionDays.ONE_YEAR - as PCI DSS 4.0.1, 10.5.1 requires of audit trails
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * A symmetric key for both log groups, other than a managed key of keyturn. Retain it as long as the logs. The app must
   * own its key policy, or that must allow CloudWatch Logs (docs/deployment.md).
   * @default - a key of CloudWatch Logs
   */
  readonly logEncryptionKey?: kms.IKey;

  /**
   * A symmetric key for the dead-letter queue and the queue of refused uses, other than a managed key of keyturn. The roles
   * of the functions may then use this one key, through SQS. The app must own its key policy, or that must allow
   * EventBridge (docs/deployment.md).
   * @default - a key of SQS
   */
  readonly queueEncryptionKey?: kms.IKey;

  /**
   * The topic that gets every alarm, and its end.
   * @default - none; the property `alarms` has the alarms
   */
  readonly alarmTopic?: sns.ITopic;

  /**
   * Whether the function receives, through CloudTrail and EventBridge, attempts to use a key that
   * is out of use. It then puts a key out of use only after a proof that such events arrive.
   * Requires a trail in this Region that logs management events, including read-only ones and those
   * of KMS.
   * @default true
   */
  readonly watchDrain?: boolean;

  /**
   * Whether the function receives, through CloudTrail and EventBridge, calls that change a KMS key or an alias. It then
   * reports a change by an external actor within minutes; without them within a day.
   * @default true
   */
  readonly watchChanges?: boolean;

  /**
   * Whether a second function collects, through CloudTrail and EventBridge, uses of keys that KMS
   * refuses: callers that a rotation locks out have no last use. They block the deletion of a
   * version. Requires the same trail as `watchDrain`, and `true` beside `retire: "delete"`.
   * @default true
   */
  readonly watchRefusals?: boolean;

  /**
   * Callers that KMS refuses on purpose, such as scanners: their refused uses are not reported, and
   * block no deletion.
   * @default - none
   */
  readonly acceptedRefusals?: AcceptedRefusal[];

  /**
   * The processor of both functions. Not every Region has arm64.
   * @default lambda.Architecture.ARM_64
   */
  readonly architecture?: lambda.Architecture;

  /**
   * The permissions boundary of both roles.
   * @default - that of the stack, if it has one
   */
  readonly permissionsBoundary?: iam.IManagedPolicy;

  /**
   * The VPC of both functions. From its subnets they must reach DynamoDB, KMS, EventBridge and the Resource
   * Groups Tagging API: otherwise runs end in timeouts (docs/deployment.md).
   * @default - none: the functions run in Lambda's own network, and reach AWS's public endpoints
   */
  readonly vpc?: ec2.IVpc;

  /**
   * The subnets of both functions in `vpc`. Lambda gives a function in a public subnet no public address.
   * @default - the private subnets, as CDK selects them
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * The security groups of both functions in `vpc`. They need only outgoing HTTPS.
   * @default - one for each function, which allows all outgoing traffic
   */
  readonly securityGroups?: ec2.ISecurityGroup[];

  /**
   * Lambda's reserved concurrency for the function. In a new account the deployment of it fails.
   * @default - none
   */
  readonly reservedConcurrentExecutions?: number;
}
