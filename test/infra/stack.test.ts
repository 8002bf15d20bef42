import { App, Duration, PermissionsBoundary, Stack } from "aws-cdk-lib";
import { Annotations, Match, Template } from "aws-cdk-lib/assertions";
import * as events from "aws-cdk-lib/aws-events";
import * as iam from "aws-cdk-lib/aws-iam";
import { Architecture } from "aws-cdk-lib/aws-lambda";
import { describe, expect, it } from "vitest";
import { KeyRotation } from "../../infra/key-rotation.ts";
import { type KeyRotationStackProps, KeyRotationStack } from "../../infra/stack.ts";
import {
  type ConfigurationDocument,
  ConfigurationError,
} from "../../lambda/configuration/configuration.ts";
import { tableDefinition } from "../../lambda/record/table-definition.ts";
import { createApp } from "./app.ts";
import { isOfCollector } from "./role.ts";

const configuration: ConfigurationDocument = {
  owner: "acme",
  policies: { quarterly: { cryptoperiod: "90d" } },
  managedKeys: [{ alias: "alias/orders", policy: "quarterly", aliases: ["alias/orders-legacy"] }],
};

function stackOf(props: Partial<KeyRotationStackProps> = {}): KeyRotationStack {
  const app = createApp();
  return new KeyRotationStack(app, "Keyturn", { configuration, ...props });
}

function templateOf(props: Partial<KeyRotationStackProps> = {}): Template {
  return Template.fromStack(stackOf(props));
}

function isOfRotation(logicalId: string): boolean {
  return !isOfCollector(logicalId);
}

describe("the function", () => {
  it("runs on Node 24 and arm64, for five minutes at most", () => {
    templateOf().hasResourceProperties("AWS::Lambda::Function", {
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Handler: "handler.handler",
      MemorySize: 512,
      Timeout: 300,
    });
  });

  it("runs on another processor where the Region has no arm64, and the second function, too", () => {
    const template = templateOf({ architecture: Architecture.X86_64 });
    const functions = Object.values(template.findResources("AWS::Lambda::Function"));
    const architectures = functions.map((one) => (one as { Properties: object }).Properties);
    expect(architectures).toEqual([
      expect.objectContaining({ Architectures: ["x86_64"] }),
      expect.objectContaining({ Architectures: ["x86_64"] }),
    ]);
  });

  it("and the second one take the permissions boundary that CDK sets on a stack or on the construct", () => {
    const bounded = stackOf({ permissionsBoundary: PermissionsBoundary.fromName("limits") });
    const stack = stackOf();
    const limits = iam.ManagedPolicy.fromManagedPolicyName(stack, "Boundary", "limits");
    iam.PermissionsBoundary.of(stack.rotation).apply(limits);
    const owner = new Stack(new App());
    const permissionsBoundary = iam.ManagedPolicy.fromManagedPolicyName(owner, "B", "limits");
    new KeyRotation(owner, "Rotation", { policies: {}, permissionsBoundary });
    for (const one of [bounded, stack, owner]) {
      const roles = Object.values(Template.fromStack(one).findResources("AWS::IAM::Role"));
      expect(roles).toHaveLength(2);
      for (const role of roles) {
        expect(JSON.stringify(role)).toMatch(/"PermissionsBoundary":.*:policy\/limits"/);
      }
    }
  });

  it("has the table, the bus and the discovery in its environment", () => {
    const template = templateOf({ discovery: "walk", quotaShare: 0.2 });
    const [table] = Object.keys(template.findResources("AWS::DynamoDB::Table"));
    const [role] = Object.keys(template.findResources("AWS::IAM::Role")).filter(isOfRotation);
    template.hasResourceProperties("AWS::Lambda::Function", {
      Environment: {
        Variables: {
          KEYTURN_TABLE: { Ref: table },
          KEYTURN_EVENT_BUS: "default",
          KEYTURN_DISCOVERY: "walk",
          KEYTURN_QUOTA_SHARE: "0.2",
          KEYTURN_DRAIN_WATCH: "cloudtrail",
          KEYTURN_REFUSALS_WATCH: "cloudtrail",
          KEYTURN_ROLE: { Ref: role },
        },
      },
    });
  });

  it("logs to its own group, which has a year of retention and outlives the stack", () => {
    templateOf().hasResource("AWS::Logs::LogGroup", {
      Properties: { RetentionInDays: 365 },
      DeletionPolicy: "Retain",
    });
    templateOf().resourceCountIs("Custom::LogRetention", 0);
  });
});

describe("the schedule", () => {
  it("fires every five minutes, and stores events that it cannot deliver", () => {
    const template = templateOf();
    const [queue] = Object.keys(template.findResources("AWS::SQS::Queue")).filter(isOfRotation);
    const queueArn = { "Fn::GetAtt": [queue, "Arn"] };
    template.hasResourceProperties("AWS::Events::Rule", {
      ScheduleExpression: "rate(5 minutes)",
      State: "ENABLED",
      Targets: [
        Match.objectLike({
          DeadLetterConfig: { Arn: queueArn },
          RetryPolicy: { MaximumEventAgeInSeconds: 300, MaximumRetryAttempts: 2 },
        }),
      ],
    });
    template.hasResourceProperties("AWS::Lambda::EventInvokeConfig", {
      MaximumEventAgeInSeconds: 21_600,
      MaximumRetryAttempts: 2,
    });
    template.hasResourceProperties("AWS::Lambda::Function", {
      DeadLetterConfig: { TargetArn: queueArn },
    });
  });

  it("accepts another interval; Lambda's limit bounds the age of events", () => {
    const template = templateOf({ interval: Duration.days(1) });
    template.hasResourceProperties("AWS::Events::Rule", { ScheduleExpression: "rate(1 day)" });
    template.hasResourceProperties("AWS::Lambda::EventInvokeConfig", {
      MaximumEventAgeInSeconds: 21_600,
    });
  });
});

describe("the drain", () => {
  it("is not monitored if disabled, and then the function expects no event", () => {
    const none = { watchDrain: false, watchRefusals: false, watchChanges: false };
    const template = templateOf(none);
    template.resourceCountIs("AWS::Events::Rule", 1);
    template.hasResourceProperties("AWS::Lambda::Function", {
      Environment: { Variables: Match.objectLike({ KEYTURN_DRAIN_WATCH: "none" }) },
    });
  });
});

describe("the table", () => {
  it("has the keys and the sparse index of the one definition", () => {
    const { partitionKey, sortKey, dueIndex } = tableDefinition;
    templateOf().hasResourceProperties("AWS::DynamoDB::Table", {
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: Match.arrayEquals([
        { AttributeName: partitionKey, AttributeType: "S" },
        { AttributeName: sortKey, AttributeType: "S" },
        { AttributeName: dueIndex.partitionKey, AttributeType: "S" },
        { AttributeName: dueIndex.sortKey, AttributeType: "N" },
      ]),
      KeySchema: [
        { AttributeName: partitionKey, KeyType: "HASH" },
        { AttributeName: sortKey, KeyType: "RANGE" },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: dueIndex.name,
          KeySchema: [
            { AttributeName: dueIndex.partitionKey, KeyType: "HASH" },
            { AttributeName: dueIndex.sortKey, KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "KEYS_ONLY" },
        },
      ],
    });
  });

  it("can be restored, cannot be deleted, and outlives the stack", () => {
    templateOf().hasResource("AWS::DynamoDB::Table", {
      Properties: {
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
    });
  });
});

describe("a wrong configuration", () => {
  it("fails the synthesis, with path and expectation", () => {
    const wrong: ConfigurationDocument = {
      owner: "acme",
      policies: { quarterly: { drain: { quietFor: "30m" } } },
      managedKeys: [{ alias: "alias/orders", policy: "yearly" }],
    };
    expect(() => stackOf({ configuration: wrong })).toThrow(ConfigurationError);
    expect(() => stackOf({ configuration: wrong })).toThrow(
      'policies.quarterly.drain.quietFor: got "30m", expected a duration of at least 2h',
    );
    expect(() => stackOf({ configuration: wrong })).toThrow(
      'managedKeys[0].policy: got "yearly", expected a defined policy (quarterly)',
    );
  });
});

describe("a wrong share of the quotas", () => {
  it.each([0, -1, 1e-7, 1.5, Number.NaN])("%d fails the synthesis", (quotaShare) => {
    expect(() => templateOf({ quotaShare })).toThrow(
      /\[Keyturn\/KeyRotation\] quotaShare: expected a number from 0.01 to 1/,
    );
  });
});

describe("a large fleet", () => {
  const aliasesOf = (count: number): ConfigurationDocument => ({
    ...configuration,
    managedKeys: Array.from({ length: count }, (_, index) => {
      return { alias: `alias/team/orders-${index}`, policy: "quarterly" };
    }),
  });

  it("is listed alias by alias, over several policies", () => {
    const stack = stackOf({ configuration: aliasesOf(400) });
    const template = JSON.stringify(Template.fromStack(stack).toJSON());
    expect(template).toContain(":alias/team/orders-399");
    expect(template).not.toContain(":alias/*");
    Annotations.fromStack(stack).hasNoWarning("*", Match.anyValue());
  });

  it("beyond IAM's limits causes a warning", () => {
    const stack = stackOf({ configuration: aliasesOf(1000) });
    expect(JSON.stringify(Template.fromStack(stack).toJSON())).toContain(":alias/*");
    Annotations.fromStack(stack).hasWarning(
      "*",
      Match.stringLikeRegexp("cannot list so many aliases"),
    );
  });

  it("causes no warning in mode plan, where no alias may move", () => {
    const stack = stackOf({ configuration: { ...aliasesOf(1000), mode: "plan" } });
    expect(JSON.stringify(Template.fromStack(stack).toJSON())).not.toContain(":alias/");
    Annotations.fromStack(stack).hasNoWarning("*", Match.anyValue());
  });
});

describe("dependents", () => {
  it("get events on the given bus, also in a user's stack", () => {
    const stack = new Stack(createApp(), "Theirs");
    const eventBus = events.EventBus.fromEventBusName(stack, "Bus", "keys");
    new KeyRotation(stack, "KeyRotation", { policies: { quarterly: {} }, eventBus });
    Template.fromStack(stack).hasResourceProperties("AWS::Lambda::Function", {
      Environment: { Variables: Match.objectLike({ KEYTURN_EVENT_BUS: "keys" }) },
    });
  });
});
