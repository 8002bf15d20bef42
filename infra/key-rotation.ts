import {
  Annotations,
  AspectPriority,
  Aspects,
  Duration,
  Names,
  RemovalPolicy,
  Stack,
} from "aws-cdk-lib";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as events from "aws-cdk-lib/aws-events";
import * as targets from "aws-cdk-lib/aws-events-targets";
import * as iam from "aws-cdk-lib/aws-iam";
import type * as kms from "aws-cdk-lib/aws-kms";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as logs from "aws-cdk-lib/aws-logs";
import * as sqs from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { type Alarms, createAlarms } from "./alarms.ts";
import { acknowledge, acknowledged } from "./acknowledged.ts";
import { collect, problemsOf, type Collected } from "./collected.ts";
import type { KeyRotationProps } from "./key-rotation-props.ts";
import { retain, type Managed, type ManageOptions } from "./managed-alias.ts";
import { noCodeYet, setCode } from "./package-code.ts";
import {
  canListAliases,
  eventStatements,
  kmsStatements,
  requestWriting,
  stateReading,
  tableStatements,
} from "./permissions.ts";
import { createDashboard } from "./dashboard.ts";
import { watchDrain } from "./drain-watch.ts";
import { createTable } from "./state-table.ts";

const defaultInterval = Duration.minutes(5);
const timeout = Duration.minutes(5);

/**
 * Rotates the keys that it is told to manage: the function, the schedule that fires it, and the
 * table it keeps its state in, which outlives the stack.
 */
export class KeyRotation extends Construct {
  /** The value of the tag `keyturn:owner`. */
  readonly owner: string;
  readonly function: lambda.Function;
  readonly table: dynamodb.Table;
  readonly schedule: events.Rule;
  /** Runs that could not be started, or failed, wait here for two weeks. */
  readonly deadLetterQueue: sqs.Queue;
  /** What goes wrong without anybody looking: docs/alarms.md. */
  readonly alarms: Alarms;
  readonly #managed: Managed[] = [];
  readonly #props: KeyRotationProps;
  readonly #role: iam.Role;
  readonly #eventBus: events.IEventBus;

  constructor(scope: Construct, id: string, props: KeyRotationProps) {
    super(scope, id);
    this.#props = props;
    const { interval = defaultInterval } = props;
    if (interval.toHours({ integral: false }) > 24) {
      const got = interval.toHumanString();
      throw new RangeError(`[${this.node.path}] interval: expected a day at most, got ${got}`);
    }
    this.owner = props.owner ?? Names.uniqueId(this);
    this.#eventBus =
      props.eventBus ?? events.EventBus.fromEventBusName(this, "EventBus", "default");
    this.table = createTable(this);
    this.deadLetterQueue = new sqs.Queue(this, "DeadLetters", {
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    const logGroup = new logs.LogGroup(this, "Log", {
      retention: props.logRetention ?? logs.RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // Not CDK's default role: its managed policy may write to every log group of the account.
    this.#role = new iam.Role(this, "Role", {
      assumedBy: new iam.ServicePrincipal("lambda.amazonaws.com"),
      description: "keyturn: rotates KMS keys of its owner tag, and can use none of them",
    });
    logGroup.grantWrite(this.#role);
    this.function = this.#createFunction(logGroup);
    this.schedule = this.#createSchedule(interval);
    if (props.watchDrain !== false) watchDrain(this, this);
    this.#permit([...tableStatements(this.table.tableArn), ...eventStatements(this.#eventBus)]);
    this.alarms = this.#createAlarms(logGroup);
    acknowledge(this.table, acknowledged.table);
    acknowledge(this.deadLetterQueue, acknowledged.queue);
    acknowledge(logGroup, acknowledged.log);
    acknowledge(this.#role, acknowledged.role);
    acknowledge(this.function, acknowledged.function);
    this.#completeAtSynth();
  }

  /**
   * Has the key behind an alias rotated by one of the policies. What this app made of it, key and
   * alias, is retained when the stack goes: from the first rotation on, CloudFormation knows neither
   * the key that serves nor where the alias points. An alias of another stack or tool is named by a
   * string, and nothing but its name is taken over.
   */
  manage(alias: kms.IAlias | string, policy: string, options: ManageOptions = {}): void {
    this.#managed.push({ alias, policy, ...options });
    retain(alias, this.owner);
  }

  /** Lets somebody look: `npx keyturn` status, plan, history, verify, doctor, report. */
  grantReading(grantee: iam.IGrantable): iam.Grant {
    return iam.Grant.addToPrincipal({ grantee, ...stateReading(this.table.tableArn) });
  }

  /**
   * Lets somebody ask for rotations, rollbacks and pauses of these managed keys, of all where none is
   * named, with request items (docs/requests.md): no right on KMS, and none to the state itself.
   */
  grantRequests(grantee: iam.IGrantable, ...aliases: string[]): iam.Grant {
    const { actions, conditions } = requestWriting(aliases);
    const resourceArns = [this.table.tableArn];
    return iam.Grant.addToPrincipal({ grantee, actions, resourceArns, conditions });
  }

  /** Which keys there are is known only once the whole app is: the package and the role wait for it. */
  #completeAtSynth(): void {
    let collected: Collected | undefined;
    const complete = (): Collected => {
      collected ??= collect(this, { ...this.#props, owner: this.owner }, this.#managed);
      return collected;
    };
    Aspects.of(this).add(
      {
        visit: (node) => {
          if (node !== this || collected !== undefined) return;
          const { document, configuration } = complete();
          if (document === undefined || configuration === undefined) return;
          setCode(this.function, document);
          this.#permitKms(configuration);
        },
      },
      { priority: AspectPriority.MUTATING },
    );
    this.node.addValidation({ validate: () => problemsOf(this, complete()) });
  }

  #createAlarms(logGroup: logs.ILogGroup): Alarms {
    const { function: watchedFunction, table, deadLetterQueue } = this;
    const { interval = defaultInterval, alarmTopic } = this.#props;
    const watched = { function: watchedFunction, table, deadLetterQueue, interval };
    const alarms = createAlarms(this, { ...watched, timeout });
    createDashboard(this, "Dashboard", { ...watched, alarms, logGroup });
    if (alarmTopic === undefined) {
      for (const alarm of Object.values(alarms)) acknowledge(alarm, acknowledged.alarm);
      return alarms;
    }
    const action = new SnsAction(alarmTopic);
    for (const alarm of Object.values(alarms)) {
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
    }
    return alarms;
  }

  #createFunction(logGroup: logs.LogGroup): lambda.Function {
    const { discovery = "tagging", quotaShare = 0.4, reservedConcurrentExecutions } = this.#props;
    return new lambda.Function(this, "Function", {
      description: "keyturn: rotates KMS keys behind their aliases",
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      handler: "handler.handler",
      code: noCodeYet,
      memorySize: 512,
      timeout,
      role: this.#role,
      deadLetterQueue: this.deadLetterQueue,
      logGroup,
      ...(reservedConcurrentExecutions === undefined ? {} : { reservedConcurrentExecutions }),
      environment: {
        KEYTURN_TABLE: this.table.tableName,
        KEYTURN_EVENT_BUS: this.#eventBus.eventBusName,
        KEYTURN_DISCOVERY: discovery,
        KEYTURN_QUOTA_SHARE: String(quotaShare),
        KEYTURN_DRAIN_WATCH: this.#props.watchDrain === false ? "none" : "cloudtrail",
      },
    });
  }

  #permitKms(configuration: NonNullable<Collected["configuration"]>): void {
    const stack = Stack.of(this);
    const statements = kmsStatements({
      configuration,
      discovery: this.#props.discovery ?? "tagging",
      keyArn: stack.formatArn({ service: "kms", resource: "key", resourceName: "*" }),
      aliasArn: (alias) => stack.formatArn({ service: "kms", resource: alias }),
      role: this.#role,
      sessionArn: stack.formatArn({
        service: "sts",
        region: "",
        resource: "assumed-role",
        resourceName: `${this.#role.roleName}/*`,
      }),
    });
    this.#permit(statements);
    if (configuration.mode === "act" && !canListAliases(configuration)) {
      const message = "too many aliases for the policies of one role: it may move every alias";
      Annotations.of(this).addWarningV2("keyturn:aliases", message);
    }
  }

  #permit(statements: iam.PolicyStatement[]): void {
    for (const statement of statements) this.#role.addToPrincipalPolicy(statement);
  }

  #createSchedule(interval: Duration): events.Rule {
    // The next run does what a lost one did not: a late one is no better than none.
    const sixHours = Duration.hours(6);
    const maxEventAge = interval.toSeconds() < sixHours.toSeconds() ? interval : sixHours;
    // A use attempt is worth every try that Lambda makes; a tick that comes late finds nothing due.
    this.function.configureAsyncInvoke({
      maxEventAge: sixHours,
      retryAttempts: 2,
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
