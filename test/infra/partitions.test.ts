/** The templates in the partitions of AWS: China, GovCloud, and one that is unknown at synthesis. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Environment, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import * as kms from "aws-cdk-lib/aws-kms";
import * as sns from "aws-cdk-lib/aws-sns";
import { describe, expect, test } from "vitest";
import { KeyRotation } from "../../infra/key-rotation.ts";
import { createApp } from "./app.ts";
import { policies } from "./their-app.ts";

/** The feature flags that the CDK CLI passes to an app of this repository. */
function flags(): Record<string, unknown> {
  const text = readFileSync(join(import.meta.dirname, "../../cdk.json"), "utf8");
  return (JSON.parse(text) as { context: Record<string, unknown> }).context;
}

/** A deployment with everything that a prop can add. */
function templateIn(env: Environment | undefined, context: Record<string, unknown>): string {
  const app = createApp(context);
  const stack = new Stack(app, "Theirs", env === undefined ? {} : { env });
  const key = new kms.Key(stack, "Key");
  const vpc = ec2.Vpc.fromVpcAttributes(stack, "Vpc", {
    vpcId: "vpc-0a1b2c3d",
    availabilityZones: ["a"],
    privateSubnetIds: ["subnet-0a1b2c3d"],
  });
  const rotation = new KeyRotation(stack, "KeyRotation", {
    policies: { ...policies, deleted: { retire: "delete" } },
    taggedAliases: ["alias/team-*"],
    alarmTopic: new sns.Topic(stack, "Alarms"),
    logEncryptionKey: key,
    queueEncryptionKey: key,
    vpc,
  });
  const signing = new kms.Key(stack, "Signing").addAlias("alias/signing");
  rotation.manage(signing, "quarterly");
  new KeyRotation(stack, "Restored", { policies, owner: "o", stateTable: "keyturn-restored" });
  return JSON.stringify(Template.fromStack(stack).toJSON());
}

const account = "111122223333";
const places: [name: string, env: Environment | undefined][] = [
  ["cn-north-1", { account, region: "cn-north-1" }],
  ["us-gov-west-1", { account, region: "us-gov-west-1" }],
  ["a Region that is unknown at synthesis", undefined],
];
const contexts: [name: string, context: Record<string, unknown>][] = [
  ["without feature flags", {}],
  ["with the feature flags of cdk.json", flags()],
];

describe.each(places)("in %s", (_place, env) => {
  test.each(contexts)("no string names the partition aws, %s", (_flags, context) => {
    const template = templateIn(env, context);
    expect(template).toContain(":alias/signing");
    expect(template.match(/[^"]{0,40}arn:aws:[^"]{0,60}/g)).toBeNull();
  });
});

/** Only that of CloudWatch Logs has the Region and the suffix of the partition. */
test("each service principal is valid in every partition", () => {
  const template = templateIn({ account, region: "cn-north-1" }, {});
  const services = [...template.matchAll(/"Service":("[^"]*"|\{"Fn::Join":\["",\[[^\]]*\]\]\})/g)];
  expect(new Set(services.map(([, service]) => service))).toEqual(
    new Set([
      '"lambda.amazonaws.com"',
      '"events.amazonaws.com"',
      '{"Fn::Join":["",["logs.cn-north-1.",{"Ref":"AWS::URLSuffix"}]]}',
    ]),
  );
});
