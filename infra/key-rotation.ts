import { Annotations, AspectPriority, Aspects, Duration, Names, Stack } from "aws-cdk-lib";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as events from "aws-cdk-lib/aws-events";
import * as iam from "aws-cdk-lib/aws-iam";
import type * as kms from "aws-cdk-lib/aws-kms";
import type * as lambda from "aws-cdk-lib/aws-lambda";
import * as logs from "aws-cdk-lib/aws-logs";
import * as sqs from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { type Alarms, createAlarms } from "./alarms.ts";
import { acknowledge, acknowledged, ofFunction } from "./acknowledged.ts";
import { collect, problemsOf, type Collected } from "./collected.ts";
import { ManagedKey } from "./grants.ts";
import type { KeyRotationProps } from "./key-rotation-props.ts";
import {
  admitServices,
  createLogGroup,
  queueEncryption,
  queueKeyStatements,
  whyUnfitKeys,
} from "./encryption.ts";
import { givenTable, whyUnfitTable } from "./given-table.ts";
import { reportKeptVersions } from "./kept-versions.ts";
import { nameOf, retain, type Managed, type ManageOptions } from "./managed-alias.ts";
import { warnAboutAliases, warnAboutVersions } from "./names-of-versions.ts";
import { networkOf, networkStatements, warnAboutEndpoints } from "./network.ts";
import { placementOf } from "./placement.ts";
import { setRotationCode } from "./package-code.ts";
import {
  canListAliases,
  eventStatements,
  kmsStatements,
  requestWriting,
  stateReading,
  tableStatements,
} from "./permissions.ts";
import { createDashboard } from "./dashboard.ts";
import { watchChanges, watchDrain } from "./watches.ts";
import { RefusedUses } from "./refused-uses.ts";
import { createRotationFunction, timeout } from "./rotation-function.ts";
import { createSchedule } from "./schedule.ts";
import { createTable } from "./state-table.ts";

const defaultInterval = Duration.minutes(5);

/**
 * Rotates the keys of `manage()`: the function, its schedule, and the table with its state, which
 * outlives the stack.
 */
export class KeyRotation extends Construct {
  /** The value of the tag `keyturn:owner`. */
  readonly owner: string;
  readonly function: lambda.Function;
  /** Of `stateTable`, or the one that the construct created. */
  readonly table: dynamodb.ITable;
  readonly schedule: events.Rule;
  /** The events of runs that did not start or failed; kept for two weeks. */
  readonly deadLetterQueue: sqs.Queue;
  /** Undefined with `watchRefusals: false`. */
  readonly refusedUses: RefusedUses | undefined;
  /** See docs/alarms.md. */
  readonly alarms: Alarms;
  readonly #managed: Managed[] = [];
  readonly #props: KeyRotationProps;
  readonly #role: iam.Role;
  readonly #eventBus: events.IEventBus;
  readonly #given: dynamodb.ITable | undefined;

  constructor(scope: Construct, id: string, props: KeyRotationProps) {
    super(scope, id);
    this.#props = props;
    const { interval = defaultInterval } = props;
    if (interval.toHours({ integral: false }) > 24) {
      const got = interval.toHumanString();
      throw new RangeError(`[${this.node.path}] interval: expected one day at most, got ${got}`);
    }
    this.owner = props.owner ?? Names.uniqueId(this);
    this.#eventBus =
      props.eventBus ?? events.EventBus.fromEventBusName(this, "EventBus", "default");
    const { logRetention = logs.RetentionDays.ONE_YEAR } = props;
    const { logEncryptionKey, queueEncryptionKey } = props;
    admitServices(this, props);
    this.#given = givenTable(this, props.stateTable);
    this.table = this.#given ?? createTable(this);
    this.deadLetterQueue = new sqs.Queue(this, "DeadLetters", {
      ...queueEncryption(queueEncryptionKey),
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    const logGroup = createLogGroup(this, { logRetention, logEncryptionKey });
    // Not CDK's default role: its managed policy may write to every log group of the account.
    this.#role = new iam.Role(this, "Role", {
      assumedBy: new iam.ServicePrincipal("lambda.amazonaws.com"),
      description: "keyturn: rotates KMS keys with its owner tag, without the right to use them",
    });
    logGroup.grantWrite(this.#role);
    const network = networkOf(props);
    this.function = createRotationFunction(this, props, {
      table: this.table,
      eventBus: this.#eventBus,
      deadLetterQueue: this.deadLetterQueue,
      role: this.#role,
      logGroup,
      network,
    });
    this.schedule = createSchedule(this, this, interval);
    if (props.watchDrain !== false) watchDrain(this, this);
    if (props.watchChanges !== false) watchChanges(this, this);
    if (props.permissionsBoundary !== undefined) {
      iam.PermissionsBoundary.of(this).apply(props.permissionsBoundary);
    }
    const { table, deadLetterQueue } = this;
    const { architecture } = this.function;
    const keys = { logEncryptionKey, queueEncryptionKey };
    const ofBoth = { table, deadLetterQueue, logRetention, architecture, network, ...keys };
    const collected = { ...ofBoth, rotationRole: this.#role };
    this.refusedUses =
      props.watchRefusals === false ? undefined : new RefusedUses(this, "RefusedUses", collected);
    this.#permit([
      ...tableStatements(table.tableArn),
      ...eventStatements(this.#eventBus),
      ...(network === undefined ? [] : networkStatements(this)),
      ...queueKeyStatements(this, queueEncryptionKey, ["kms:Decrypt", "kms:GenerateDataKey"]),
    ]);
    this.alarms = this.#createAlarms(logGroup);
    this.#acknowledge(logGroup);
    this.#completeAtSynth();
  }

  /**
   * Rotates the key behind an alias by one of the policies. A key and an alias of this app are
   * retained when the stack is deleted: from the first rotation on, CloudFormation knows neither
   * the active key nor the alias's target. Name an alias of another stack or tool by a string:
   * keyturn then uses only its name.
   *
   * Grant callers their rights with what this returns: an ARN is that of one version, and an alias leaves it.
   */
  manage(alias: kms.IAlias | string, policy: string, options: ManageOptions = {}): ManagedKey {
    this.#managed.push({ alias, policy, ...options });
    // Synthesis reports a name that it cannot know.
    const name = nameOf(this, alias) ?? "";
    retain(alias, this.owner);
    return new ManagedKey(this, [name, ...(options.aliases ?? [])]);
  }

  /** Grants reading: `npx keyturn` status, plan, history, verify, doctor, report. */
  grantReading(grantee: iam.IGrantable): iam.Grant {
    return iam.Grant.addToPrincipal({ grantee, ...stateReading(this.table.tableArn) });
  }

  /**
   * Grants requests for rotations, rollbacks and pauses of these managed keys, or of all if none is
   * named, with request items (docs/requests.md). Grants no right on KMS, and none on the state
   * itself.
   */
  grantRequests(grantee: iam.IGrantable, ...aliases: string[]): iam.Grant {
    const { actions, conditions } = requestWriting(aliases);
    const resourceArns = [this.table.tableArn];
    return iam.Grant.addToPrincipal({ grantee, actions, resourceArns, conditions });
  }

  /**
   * The managed keys are complete only with the whole app, and so the package and the role wait.
   */
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
          setRotationCode(this.function, document);
          this.refusedUses?.complete(configuration);
          this.#permitKms(configuration);
        },
      },
      { priority: AspectPriority.MUTATING },
    );
    // The last aspect: other aspects may add resources, and change what a resource refers to.
    Aspects.of(this).add(
      {
        visit: (node) => {
          if (node !== this) return;
          warnAboutVersions(this, this.#managed);
          warnAboutAliases(this, this.#managed);
          this.#warnAboutNetwork();
          const { configuration } = complete();
          if (configuration !== undefined) reportKeptVersions(this, configuration);
        },
      },
      { priority: AspectPriority.READONLY },
    );
    this.node.addValidation({
      validate: () => [...problemsOf(this, complete()), ...this.#placement()],
    });
  }

  #warnAboutNetwork(): void {
    const network = networkOf(this.#props);
    if (network !== undefined) warnAboutEndpoints(this, network, this.#props.discovery);
  }

  #placement(): string[] {
    const all = this.node.root.node.findAll().filter((node) => node instanceof KeyRotation);
    const earlier = all.slice(0, all.indexOf(this));
    const deploymentOf = (scope: KeyRotation) => ({
      scope,
      managed: scope.#managed,
      given: scope.#given,
    });
    const [here, there] = [deploymentOf(this), earlier.map(deploymentOf)];
    return [
      ...placementOf(here, there),
      ...whyUnfitTable(here, there),
      ...whyUnfitKeys(this.#props, all.map(deploymentOf)),
    ];
  }

  #acknowledge(logGroup: logs.LogGroup): void {
    const { vpc, logEncryptionKey, queueEncryptionKey } = this.#props;
    const queueKey = queueEncryptionKey === undefined ? acknowledged.queueKey : [];
    acknowledge(this.deadLetterQueue, [...queueKey, ...acknowledged.queue]);
    if (logEncryptionKey === undefined) acknowledge(logGroup, acknowledged.logKey);
    acknowledge(this.#role, acknowledged.role);
    acknowledge(this.function, ofFunction(acknowledged.function, vpc !== undefined));
  }

  #createAlarms(logGroup: logs.ILogGroup): Alarms {
    const { function: watchedFunction, table, deadLetterQueue, refusedUses } = this;
    const { interval = defaultInterval, alarmTopic } = this.#props;
    const watched = { function: watchedFunction, table, deadLetterQueue, refusedUses, interval };
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
      const message =
        "the policies of one role cannot list so many aliases: the role may move every alias";
      Annotations.of(this).addWarningV2("keyturn:aliases", message);
    }
  }

  #permit(statements: iam.PolicyStatement[]): void {
    for (const statement of statements) this.#role.addToPrincipalPolicy(statement);
  }
}
