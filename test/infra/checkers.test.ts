/** Third-party checkers report only findings that keyturn acknowledges with a reason. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type App, type IPolicyValidationPlugin, Stack, Validations } from "aws-cdk-lib";
import { Vpc } from "aws-cdk-lib/aws-ec2";
import { Key } from "aws-cdk-lib/aws-kms";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { AwsSolutionsChecks, NIST80053R5Checks } from "cdk-nag";
import { expect, test } from "vitest";
import { acknowledged } from "../../infra/acknowledged.ts";
import { KeyRotationStack, type KeyRotationStackProps } from "../../infra/stack.ts";
import { createApp } from "./app.ts";

type Report = { pluginReports: { pluginName: string; violations: { ruleName: string }[] }[] };

type Pack = (app: App) => IPolicyValidationPlugin;

type More = (stack: Stack) => void;

function violations(
  pack: Pack,
  more: More = () => undefined,
  props: (app: App) => Partial<KeyRotationStackProps> = () => ({}),
): string[] {
  const app = createApp();
  const stack = new KeyRotationStack(app, "Keyturn", {
    ...props(app),
    configuration: {
      owner: "acme",
      policies: { yearly: { retire: "delete" } },
      managedKeys: [{ alias: "alias/orders", policy: "yearly" }],
    },
  });
  more(stack);
  Validations.of(app).addPlugins(pack(app));
  try {
    app.synth();
  } catch (error) {
    expect((error as Error).name).toBe("ValidationFailed");
  }
  const report = readFileSync(join(app.outdir, "validation-report.json"), "utf8");
  const { pluginReports } = JSON.parse(report) as Report;
  return pluginReports.flatMap((one) => one.violations.map(({ ruleName }) => ruleName));
}

const packs: [name: string, pack: Pack][] = [
  ["AwsSolutions", (app) => new AwsSolutionsChecks(app)],
  ["NIST 800-53 R5", (app) => new NIST80053R5Checks(app)],
];

test.each(packs)("cdk-nag's pack %s reports nothing in the stack", (_name, pack) => {
  expect(violations(pack)).toEqual([]);
});

test.each(packs)("cdk-nag's pack %s reports nothing in a VPC, with own keys", (_name, pack) => {
  const props = (app: App): Partial<KeyRotationStackProps> => {
    const theirs = new Stack(app, "Theirs");
    const vpc = Vpc.fromVpcAttributes(theirs, "Vpc", {
      vpcId: "vpc-0a1b2c3d",
      availabilityZones: ["eu-west-1a"],
      privateSubnetIds: ["subnet-0a1b2c3d"],
    });
    const key = new Key(theirs, "Key", { enableKeyRotation: true });
    return { vpc, logEncryptionKey: key, queueEncryptionKey: key };
  };
  expect(violations(pack, undefined, props)).toEqual([]);
});

test.each(packs)("cdk-nag's pack %s works: it reports a bucket in the stack", (_name, pack) => {
  expect(violations(pack, (stack) => new Bucket(stack, "Bucket")).join()).toMatch(/S1|S3/);
});

test("few rules are acknowledged, each with a reason", () => {
  const reasons = Object.values(acknowledged).flatMap((all) => all.map(({ reason }) => reason));
  expect(reasons.every((reason) => reason.length > 40)).toBe(true);
  const rules = Object.values(acknowledged).flatMap((all) => all.flatMap(({ nag }) => nag));
  expect(new Set(rules).size).toBeLessThanOrEqual(10);
});
