/**
 * Refused uses: the rule for them, its queue, and the second function, which stores them. Its role
 * has no right on KMS: text by callers never meets a role that can disable a key.
 */
import { Duration } from "aws-cdk-lib";
import type * as events from "aws-cdk-lib/aws-events";
import * as targets from "aws-cdk-lib/aws-events-targets";
import * as iam from "aws-cdk-lib/aws-iam";
import type * as kms from "aws-cdk-lib/aws-kms";
import * as lambda from "aws-cdk-lib/aws-lambda";
import type * as logs from "aws-cdk-lib/aws-logs";
import * as sqs from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { Configuration } from "../lambda/configuration/configuration.ts";
import { refusalsMark } from "../lambda/inbound/canary.ts";
import { denials, otherKeyErrors, refusable } from "../lambda/inbound/refused-use.ts";
import { acknowledge, acknowledged, ofFunction } from "./acknowledged.ts";
import { createLogGroup, encryptTarget, queueKeyStatements } from "./encryption.ts";
import { canaries, deliveredOr, kmsEventsRule } from "./kms-events.ts";
import { type Network, networkStatements } from "./network.ts";
import { noCodeYet, setRefusalsCode } from "./package-code.ts";
import { collectorStatements } from "./collector-permissions.ts";

export type RefusedUsesProps = {
  table: { readonly tableArn: string; readonly tableName: string };
  deadLetterQueue: sqs.IQueue;
  logRetention: logs.RetentionDays;
  architecture: lambda.Architecture;
  network: Network | undefined;
  logEncryptionKey: kms.IKey | undefined;
  queueEncryptionKey: kms.IKey | undefined;
  /** The first function's role, whose refused calls lock nobody out. */
  rotationRole: iam.IRole;
};

/** Of the second function. It reads at most a few items for each of the keys in a batch. */
const timeout = Duration.seconds(60);

/**
 * Lambda invokes the function when a batch has `batchSize` messages or 6 MB, or after this time
 * (developer guide, invocation-eventsourcemapping). A message with an event takes about 3.3 KB of the
 * 6 MB: at 1,000 events a second an invocation gets about 1,900, and there is one in two seconds. At
 * lower rates the time ends each batch: with five pollers at most, one invocation in four seconds.
 * For rare events Lambda may wait 20 seconds anyway (with-sqs): a shorter time would not be faster.
 */
const batchingWindow = Duration.seconds(20);
const batchSize = 10_000;

/**
 * Lambda's advice is six timeouts and the time above (services-sqs-configure): a batch that waits
 * for a free instance must not come a second time.
 */
const visibilityTimeout = Duration.seconds(6 * timeout.toSeconds() + batchingWindow.toSeconds());

/** For an hour, as long as a table may be unavailable. */
const receives = 10;

/** The dead-letter queue keeps a message for 14 days from its first arrival: a week in each. */
const retentionPeriod = Duration.days(7);

export class RefusedUses extends Construct {
  readonly queue: sqs.Queue;
  readonly rule: events.Rule;
  readonly function: lambda.Function;

  constructor(scope: Construct, id: string, props: RefusedUsesProps) {
    super(scope, id);
    const { table, deadLetterQueue } = props;
    this.queue = new sqs.Queue(this, "Queue", {
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod,
      visibilityTimeout,
      deadLetterQueue: { queue: deadLetterQueue, maxReceiveCount: receives },
    });
    this.rule = kmsEventsRule(this, "Rule", {
      description: "keyturn: uses of keys that KMS refuses, and canaries",
      either: [
        { errorCode: [...denials.keys(), ...otherKeyErrors], eventName: [...refusable] },
        canaries(refusalsMark),
      ],
      target: new targets.SqsQueue(this.queue, deliveredOr(deadLetterQueue)),
    });
    encryptTarget(this.queue, props.queueEncryptionKey);
    this.#admitOnlyTheRule();
    const logGroup = createLogGroup(this, props);
    const role = new iam.Role(this, "Role", {
      assumedBy: new iam.ServicePrincipal("lambda.amazonaws.com"),
      description: "keyturn: stores refused uses of KMS keys, without any right on KMS",
    });
    logGroup.grantWrite(role);
    const inVpc = props.network !== undefined;
    const statements = [
      ...collectorStatements(table.tableArn, this.queue.queueArn),
      ...(inVpc ? networkStatements(this) : []),
      ...queueKeyStatements(this, props.queueEncryptionKey, ["kms:Decrypt"]),
    ];
    for (const statement of statements) role.addToPrincipalPolicy(statement);
    this.function = this.#createFunction(props, role, logGroup);
    if (props.queueEncryptionKey === undefined) acknowledge(this.queue, acknowledged.queueKey);
    if (props.logEncryptionKey === undefined) acknowledge(logGroup, acknowledged.logKey);
    acknowledge(role, [...acknowledged.collectorRole, ...(inVpc ? acknowledged.inVpc : [])]);
    acknowledge(this.function, ofFunction(acknowledged.collector, inVpc));
  }

  /** At synth, when the configuration is complete. */
  complete(configuration: Configuration): void {
    setRefusalsCode(this.function, configuration);
  }

  /**
   * Denied, not just not allowed: an identity policy of the account may allow `sqs:SendMessage`. A
   * forged canary would hide that no event arrives.
   */
  #admitOnlyTheRule(): void {
    this.queue.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: "OnlyTheRuleSends",
        effect: iam.Effect.DENY,
        principals: [new iam.AnyPrincipal()],
        actions: ["sqs:SendMessage"],
        resources: [this.queue.queueArn],
        // Also true for a request without a source.
        conditions: { ArnNotEquals: { "aws:SourceArn": this.rule.ruleArn } },
      }),
    );
  }

  #createFunction(
    { table, rotationRole, architecture, network }: RefusedUsesProps,
    role: iam.IRole,
    logGroup: logs.ILogGroup,
  ): lambda.Function {
    const collector = new lambda.Function(this, "Function", {
      description: "keyturn: stores refused uses of KMS keys",
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture,
      handler: "handler.handler",
      code: noCodeYet,
      memorySize: 256,
      timeout,
      role,
      logGroup,
      ...network,
      environment: { KEYTURN_TABLE: table.tableName, KEYTURN_ROLE: rotationRole.roleName },
    });
    collector.addEventSourceMapping("Source", {
      eventSourceArn: this.queue.queueArn,
      batchSize,
      maxBatchingWindow: batchingWindow,
      reportBatchItemFailures: true,
      // Lambda's least: instances compete for the items, and each must read them first.
      maxConcurrency: 2,
    });
    return collector;
  }
}
