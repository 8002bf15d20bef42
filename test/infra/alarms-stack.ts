/** A stack with the alarms and the resources that they watch, and its template. */
import { Duration, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as logs from "aws-cdk-lib/aws-logs";
import * as sqs from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { AlarmName } from "../../infra/alarm-definitions.ts";
import type { Names } from "../../infra/alarm-model.ts";
import { type Alarms, createAlarms } from "../../infra/alarms.ts";
import { createDashboard } from "../../infra/dashboard.ts";
import { alarmProperties, watchedBy } from "./alarm-template.ts";
import { createApp } from "./app.ts";
import type { Watched } from "./cloudwatch.ts";

const timeout = Duration.minutes(5);

export class Deployment extends Construct {
  readonly table: dynamodb.Table;
  readonly deadLetterQueue: sqs.Queue;
  readonly function: lambda.Function;
  readonly alarms: Alarms;

  constructor(scope: Construct, id: string, interval: Duration, collectsRefusals = true) {
    super(scope, id);
    const partitionKey = { name: "pk", type: dynamodb.AttributeType.STRING };
    this.table = new dynamodb.Table(this, "Table", { partitionKey });
    this.deadLetterQueue = new sqs.Queue(this, "DeadLetters");
    const logGroup = new logs.LogGroup(this, "Log");
    const functionIn = (within: Construct): lambda.Function =>
      new lambda.Function(within, "Function", {
        runtime: lambda.Runtime.NODEJS_24_X,
        handler: "handler.handler",
        code: lambda.Code.fromInline("//"),
        logGroup,
      });
    this.function = functionIn(this);
    const { table, deadLetterQueue } = this;
    const within = new Construct(this, "RefusedUses");
    const collector = { function: functionIn(within), queue: new sqs.Queue(within, "Queue") };
    const refusedUses = collectsRefusals ? collector : undefined;
    const parts = { function: this.function, table, deadLetterQueue, refusedUses };
    this.alarms = createAlarms(this, { ...parts, interval, timeout });
    const { alarms } = this;
    createDashboard(this, "Dashboard", { ...parts, interval, alarms, logGroup });
  }
}

/** Call it only in a test. */
export function templateOf(deployments: string[], minutes = 5): Template {
  const stack = new Stack(createApp(), "Keyturn");
  for (const id of deployments) new Deployment(stack, id, Duration.minutes(minutes));
  return Template.fromStack(stack);
}

/** What each alarm of one deployment watches, with these names of its resources. */
export function watchedIn(template: Template, id: string, names: Names): Watched[] {
  const resolve = (reference: unknown): string => {
    if (typeof reference === "string") return reference;
    const logicalId = JSON.stringify(reference);
    if (!logicalId.includes(`"${id}`)) throw new Error(`${logicalId} is not part of ${id}`);
    const { refusedUses } = names;
    if (logicalId.includes("RefusedUsesQueue")) return refusedUses?.queueName ?? "";
    if (logicalId.includes("RefusedUsesFunction")) return refusedUses?.functionName ?? "";
    if (logicalId.includes("DeadLetters")) return names.queueName;
    return logicalId.includes("Table") ? names.tableName : names.functionName;
  };
  const within = `${id}Alarms`;
  return Object.entries(alarmProperties(template))
    .filter(([logicalId]) => logicalId.startsWith(within))
    .map(([logicalId, alarm]) => {
      // CDK's own logical id: the path, and eight digits of its hash.
      const name = logicalId.slice(within.length, -8) as AlarmName;
      return watchedBy(name, alarm, resolve);
    });
}
