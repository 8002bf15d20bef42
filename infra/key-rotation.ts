import { join } from "node:path";
import {
  Annotations,
  AssetHashType,
  DockerImage,
  Duration,
  RemovalPolicy,
  Stack,
} from "aws-cdk-lib";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as events from "aws-cdk-lib/aws-events";
import * as targets from "aws-cdk-lib/aws-events-targets";
import * as iam from "aws-cdk-lib/aws-iam";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as destinations from "aws-cdk-lib/aws-lambda-destinations";
import * as logs from "aws-cdk-lib/aws-logs";
import * as sqs from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import {
  type Configuration,
  type ConfigurationDocument,
  parseConfiguration,
} from "../lambda/config.ts";
import { tableDefinition } from "../lambda/table-definition.ts";
import { bundle, projectFolder } from "./bundle.ts";
import { canListAliases, eventStatements, kmsStatements, tableStatements } from "./permissions.ts";

export interface KeyRotationProps {
  /**
   * The owner, the policies and the managed keys: see docs/policies.md. Refused here if wrong. In
   * its mode `plan` the function's role may change no key.
   */
  readonly configuration: ConfigurationDocument;

  /**
   * How often the function looks for what is due. A rotation takes some runs for each step.
   * @default Duration.minutes(5)
   */
  readonly interval?: Duration;

  /**
   * Where the dependents hear of rotations, with the source `keyturn`.
   * @default - the default bus of the account and Region
   */
  readonly eventBus?: events.IEventBus;

  /**
   * How the function finds keys by its tags: through the Resource Groups Tagging API, or by walking
   * all keys where that is not served.
   * @default "tagging"
   */
  readonly discovery?: "tagging" | "walk";

  /**
   * Which share of each KMS request quota a run may spend: from 0.01 to 1. The rest is left to
   * everything else in the account and Region.
   * @default 0.4
   */
  readonly quotaShare?: number;

  /**
   * How long the log, which names every transition, is kept. It outlives the stack.
   * @default logs.RetentionDays.ONE_YEAR - what PCI DSS 4.0.1, 10.5.1 asks of audit trails
   */
  readonly logRetention?: logs.RetentionDays;
}

/**
 * Rotates the managed keys of its configuration: the function, the schedule that fires it, and the
 * table it keeps its state in, which outlives the stack.
 */
export class KeyRotation extends Construct {
  readonly function: lambda.Function;
  readonly table: dynamodb.Table;
  readonly schedule: events.Rule;
  /** Runs that could not be started, or failed, wait here for two weeks. */
  readonly deadLetterQueue: sqs.Queue;

  /** Throws a ConfigurationError where the configuration is wrong. */
  constructor(scope: Construct, id: string, props: KeyRotationProps) {
    super(scope, id);
    const configuration = parseConfiguration(props.configuration);
    const { quotaShare = 0.4 } = props;
    if (!(quotaShare >= 0.01 && quotaShare <= 1)) {
      throw new RangeError(`quotaShare: expected a number from 0.01 to 1, got ${quotaShare}`);
    }
    const interval = props.interval ?? Duration.minutes(5);
    const eventBus =
      props.eventBus ?? events.EventBus.fromEventBusName(this, "EventBus", "default");

    this.table = createTable(this);
    this.deadLetterQueue = new sqs.Queue(this, "DeadLetters", {
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.function = this.createFunction(props, eventBus);
    this.permit(configuration, props.discovery ?? "tagging", eventBus);
    this.schedule = this.createSchedule(interval);
  }

  private createFunction(props: KeyRotationProps, eventBus: events.IEventBus): lambda.Function {
    const logGroup = new logs.LogGroup(this, "Log", {
      retention: props.logRetention ?? logs.RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // Not CDK's default role: its managed policy may write to every log group of the account.
    const role = new iam.Role(this, "Role", {
      assumedBy: new iam.ServicePrincipal("lambda.amazonaws.com"),
      description: "keyturn: rotates KMS keys of its owner tag, and can use none of them",
    });
    logGroup.grantWrite(role);
    return new lambda.Function(this, "Function", {
      description: "keyturn: rotates KMS keys behind their aliases",
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      handler: "handler.handler",
      code: packageOf(props.configuration),
      memorySize: 512,
      timeout: Duration.minutes(5),
      role,
      logGroup,
      environment: {
        KEYTURN_TABLE: this.table.tableName,
        KEYTURN_EVENT_BUS: eventBus.eventBusName,
        KEYTURN_DISCOVERY: props.discovery ?? "tagging",
        KEYTURN_QUOTA_SHARE: String(props.quotaShare ?? 0.4),
      },
    });
  }

  private permit(
    configuration: Configuration,
    discovery: "tagging" | "walk",
    eventBus: events.IEventBus,
  ): void {
    const stack = Stack.of(this);
    const role = this.function.role;
    if (role === undefined) throw new TypeError("expected the function to have its role");
    const statements = [
      ...kmsStatements({
        configuration,
        discovery,
        keyArn: stack.formatArn({ service: "kms", resource: "key", resourceName: "*" }),
        aliasArn: (alias) => stack.formatArn({ service: "kms", resource: alias }),
        role,
      }),
      ...tableStatements(this.table.tableArn),
      ...eventStatements(eventBus),
    ];
    if (configuration.mode === "act" && !canListAliases(configuration)) {
      const message = "too many aliases for the policies of one role: it may move every alias";
      Annotations.of(this).addWarningV2("keyturn:aliases", message);
    }
    for (const statement of statements) role.addToPrincipalPolicy(statement);
  }

  private createSchedule(interval: Duration): events.Rule {
    // The next run does what a lost one did not: a late one is no better than none.
    const sixHours = Duration.hours(6);
    const maxEventAge = interval.toSeconds() < sixHours.toSeconds() ? interval : sixHours;
    this.function.configureAsyncInvoke({
      maxEventAge,
      retryAttempts: 1,
      onFailure: new destinations.SqsDestination(this.deadLetterQueue),
    });
    return new events.Rule(this, "Schedule", {
      description: "keyturn: looks for what is due",
      schedule: events.Schedule.rate(interval),
      targets: [
        new targets.LambdaFunction(this.function, {
          deadLetterQueue: this.deadLetterQueue,
          maxEventAge,
          retryAttempts: 2,
        }),
      ],
    });
  }
}

/** The one schema, as lambda/table-definition.ts has it; the index is sparse and knows keys alone. */
function createTable(scope: Construct): dynamodb.Table {
  const { STRING, NUMBER } = dynamodb.AttributeType;
  const { partitionKey, sortKey, dueIndex } = tableDefinition;
  const table = new dynamodb.Table(scope, "Table", {
    partitionKey: { name: partitionKey, type: STRING },
    sortKey: { name: sortKey, type: STRING },
    billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
    // A key of DynamoDB's own: what keyturn manages can never lock keyturn out of its state.
    encryption: dynamodb.TableEncryption.DEFAULT,
  });
  table.addGlobalSecondaryIndex({
    indexName: dueIndex.name,
    partitionKey: { name: dueIndex.partitionKey, type: STRING },
    sortKey: { name: dueIndex.sortKey, type: NUMBER },
    projectionType: dynamodb.ProjectionType.KEYS_ONLY,
  });
  return table;
}

/** Built by esbuild in this process: no Docker, no shell, and no lock file to be found first. */
function packageOf(configuration: ConfigurationDocument): lambda.Code {
  return lambda.Code.fromAsset(join(projectFolder, "lambda"), {
    // The hash of what is deployed, so that nothing else can make an update of the function.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry("unused"),
      local: {
        tryBundle(outputFolder) {
          bundle(join(projectFolder, "lambda/handler.ts"), configuration, outputFolder);
          return true;
        },
      },
    },
  });
}
