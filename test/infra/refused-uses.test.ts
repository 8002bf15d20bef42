/** The queue of refused uses, the second function and its role. */
import { Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { KeyRotation } from "../../infra/key-rotation.ts";
import { type KeyRotationStackProps, KeyRotationStack } from "../../infra/stack.ts";
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";
import { conditionsHold } from "../../embedded-aws/kms/policy-conditions.ts";
import { matchesList } from "../../embedded-aws/iam/identity-policies.ts";
import { readPolicy } from "../../embedded-aws/kms/policy-document.ts";
import { createApp } from "./app.ts";
import { actionsOf, collectorRoleStatements, isOfCollector, refusalsQueueArn } from "./role.ts";

type Resource = { Type: string; Properties: Record<string, unknown>; DeletionPolicy?: string };

const quarterly: ConfigurationDocument = { owner: "acme", policies: { quarterly: {} } };

function stackOf(props: Partial<KeyRotationStackProps> = {}): KeyRotationStack {
  return new KeyRotationStack(createApp(), "Keyturn", { configuration: quarterly, ...props });
}

function resourcesOf(props: Partial<KeyRotationStackProps> = {}): [id: string, of: Resource][] {
  const template = Template.fromStack(stackOf(props)).toJSON() as {
    Resources: Record<string, Resource>;
  };
  return Object.entries(template.Resources);
}

function oneOf(type: string): Resource {
  const found = resourcesOf().filter(([id, { Type }]) => isOfCollector(id) && Type === type);
  const [[, resource] = []] = found;
  if (resource === undefined || found.length > 1) throw new Error(`${found.length} of ${type}`);
  return resource;
}

const getAtt = (text: string): unknown => ({
  "Fn::GetAtt": [expect.stringContaining(text), "Arn"],
});

describe("the queue", () => {
  const rule = "arn:aws:events:us-east-1:000000000000:rule/refused-uses";

  /** Whether the queue's policy lets this principal send. An identity policy cannot undo a denial. */
  function decision(principal: { service?: string; aws?: string }, sourceArn?: string): string {
    const { PolicyDocument: document } = oneOf("AWS::SQS::QueuePolicy").Properties;
    // The attributes of the rule and of the queue, by their types in the template.
    const text = JSON.stringify(document)
      .replaceAll(/\{"Fn::GetAtt":\["\w*RefusedUsesRule\w{8}","Arn"\]\}/g, `"${rule}"`)
      .replaceAll(/\{"Fn::GetAtt":\["\w*Queue\w{8}","Arn"\]\}/g, `"${refusalsQueueArn}"`);
    expect(text).not.toContain("Fn::");
    const context = new Map([["aws:securetransport", ["true"]]]);
    if (sourceArn !== undefined) context.set("aws:sourcearn", [sourceArn]);
    const applying = readPolicy(text).statements.filter(({ actions, conditions, principals }) => {
      const { of } = principals;
      const isNamed =
        of === "*" ||
        of.aws.includes("*") ||
        of.service.includes(principal.service ?? "") ||
        of.aws.includes(principal.aws ?? "");
      const isAction = matchesList(actions, "sqs:SendMessage", (name) => name);
      return isNamed && isAction && conditionsHold(conditions, context);
    });
    if (applying.some(({ effect }) => effect === "Deny")) return "denied";
    return applying.length > 0 ? "allowed" : "not allowed";
  }

  it("admits messages of its rule, and denies all others", () => {
    const events = { service: "events.amazonaws.com" };
    const admin = { aws: "arn:aws:iam::000000000000:role/admin" };
    expect(decision(events, rule)).toBe("allowed");
    expect(decision(events, `${rule}-2`)).toBe("denied");
    expect(decision({ service: "sns.amazonaws.com" }, "arn:aws:sns:us-east-1:1:topic")).toBe(
      "denied",
    );
    expect(decision(admin)).toBe("denied");
    expect(decision({ service: "sns.amazonaws.com" }, rule)).toBe("not allowed");
  });

  it("is encrypted, and keeps a message longer than the function may fail", () => {
    const { Properties } = oneOf("AWS::SQS::Queue");
    expect(Properties).toEqual({
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 7 * 86_400,
      VisibilityTimeout: 6 * 60 + 20,
      RedrivePolicy: { deadLetterTargetArn: getAtt("DeadLetters"), maxReceiveCount: 10 },
    });
  });
});

describe("the second function", () => {
  it("is small, and knows the table and the first function's role", () => {
    expect(oneOf("AWS::Lambda::Function").Properties).toMatchObject({
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      MemorySize: 256,
      Timeout: 60,
      Role: getAtt("RefusedUsesRole"),
      Environment: {
        Variables: {
          KEYTURN_TABLE: { Ref: expect.stringContaining("Table") as unknown },
          KEYTURN_ROLE: { Ref: expect.stringMatching(/^KeyRotationRole\w{8}$/) as unknown },
        },
      },
    });
  });

  it("gets large batches at most twice at a time, and reports the messages that fail", () => {
    expect(oneOf("AWS::Lambda::EventSourceMapping").Properties).toMatchObject({
      EventSourceArn: getAtt("RefusedUsesQueue"),
      BatchSize: 10_000,
      MaximumBatchingWindowInSeconds: 20,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      ScalingConfig: { MaximumConcurrency: 2 },
    });
  });

  it("has a log group of its own, which outlives the stack", () => {
    expect(oneOf("AWS::Logs::LogGroup")).toMatchObject({
      Properties: { RetentionInDays: 365 },
      DeletionPolicy: "Retain",
    });
  });
});

describe("its role", () => {
  const statements = () => collectorRoleStatements({ document: quarterly });
  const conditionsOf = (action: string): unknown[] =>
    statements()
      .filter((statement) => actionsOf(statement).includes(action))
      .map(({ Condition }) => Condition);
  const only = (...partitions: string[]) => ({
    "ForAllValues:StringLike": { "dynamodb:LeadingKeys": partitions },
    Null: { "dynamodb:LeadingKeys": "false" },
  });

  it("may do only this, and nothing on KMS", () => {
    expect(statements().flatMap(actionsOf).sort()).toEqual([
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:ReceiveMessage",
    ]);
  });

  it("reads bindings, records and refused uses, and writes refused uses only", () => {
    expect(conditionsOf("dynamodb:GetItem")).toEqual([only("kms#*", "key#*", "refused#*")]);
    expect(conditionsOf("dynamodb:PutItem")).toEqual([only("refused#*")]);
  });
});

describe("without the collection of refused uses", () => {
  it("there is neither queue nor second function, and the first one knows", () => {
    const resources = resourcesOf({ watchRefusals: false });
    expect(resources.filter(([id]) => isOfCollector(id))).toEqual([]);
    const functions = resources.filter(([, { Type }]) => Type === "AWS::Lambda::Function");
    expect(functions.map(([, { Properties }]) => Properties.Environment)).toMatchObject([
      { Variables: { KEYTURN_REFUSALS_WATCH: "none" } },
    ]);
    expect(stackOf({ watchRefusals: false }).rotation.refusedUses).toBeUndefined();
  });

  it("a policy that deletes fails the synthesis", () => {
    const policies = { kept: {}, yearly: { retire: "delete" } } as const;
    const configuration = { owner: "acme", policies };
    const synth = (watchRefusals: boolean) => () => resourcesOf({ configuration, watchRefusals });
    expect(synth(false)).toThrow(
      '[Keyturn/KeyRotation] policies.yearly.retire: got "delete" beside watchRefusals: false, expected "retain" or "disable" (refused uses must block a deletion)',
    );
    expect(synth(true)).not.toThrow();
  });
});

describe("a refused use that is accepted", () => {
  it("names a principal without a pattern, or the synthesis fails", () => {
    const synth = (principal: string) => () => {
      const stack = new Stack(createApp(), "Theirs");
      const acceptedRefusals = [{ principal, operation: "Decrypt" }];
      new KeyRotation(stack, "KeyRotation", { policies: { quarterly: {} }, acceptedRefusals });
      Template.fromStack(stack);
    };
    expect(synth("arn:aws:iam::000000000000:role/scanner")).not.toThrow();
    expect(synth("*")).toThrow('acceptedRefusals[0].principal: got "*", expected a principal');
  });
});
