/** What synthesis says of an app before a rotation locks a caller out, or two deployments meet on one alias. */
import { Aspects, CfnResource, Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { Annotations, Match, Template } from "aws-cdk-lib/assertions";
import * as iam from "aws-cdk-lib/aws-iam";
import * as kms from "aws-cdk-lib/aws-kms";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as s3 from "aws-cdk-lib/aws-s3";
import { describe, expect, test } from "vitest";
import { KeyRotation } from "../../infra/key-rotation.ts";
import { createApp } from "./app.ts";

const policies = { quarterly: { cryptoperiod: Duration.days(90) } };

type Theirs = { stack: Stack; key: kms.Key; alias: kms.Alias; rotation: KeyRotation };

function anApp(build: (theirs: Theirs) => void = () => undefined): Theirs {
  const stack = new Stack(createApp(), "Theirs");
  const key = new kms.Key(stack, "Key");
  const alias = new kms.Alias(stack, "Alias", { aliasName: "alias/orders", targetKey: key });
  const rotation = new KeyRotation(stack, "KeyRotation", { policies });
  rotation.manage(alias, "quarterly");
  const theirs = { stack, key, alias, rotation };
  build(theirs);
  return theirs;
}

function warningsOf({ stack }: Theirs): { path: string; text: string }[] {
  const found = Annotations.fromStack(stack).findWarning(
    "*",
    Match.stringLikeRegexp("alias/orders"),
  );
  return found.map(({ id, entry }) => ({ path: id, text: JSON.stringify(entry.data) }));
}

function errorOf({ stack }: Theirs): string {
  try {
    Template.fromStack(stack);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const role = ({ stack }: Theirs): iam.Role =>
  new iam.Role(stack, "App", { assumedBy: new iam.ServicePrincipal("lambda.amazonaws.com") });

describe("synthesis warns of what names a version of a managed key", () => {
  test("a grant of the CDK alias: it allows the ARN of the key", () => {
    const theirs = anApp((app) => void app.alias.grantEncrypt(role(app)));
    const [warning, ...others] = warningsOf(theirs);
    expect(others).toEqual([]);
    expect(warning?.path).toBe("/Theirs/App/DefaultPolicy/Resource");
    expect(warning?.text).toContain("what manage() returns");
  });

  test("a policy that allows by the alias alone, which leaves the version", () => {
    const theirs = anApp((app) => {
      const conditions = { "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/orders" } };
      const actions = ["kms:Decrypt"];
      role(app).addToPolicy(new iam.PolicyStatement({ actions, resources: ["*"], conditions }));
    });
    const [warning, ...others] = warningsOf(theirs);
    expect(others).toEqual([]);
    expect(warning?.path).toBe("/Theirs/App/DefaultPolicy/Resource");
    expect(warning?.text).toContain("kms:ResourceAliases");
  });

  test("also where the same role has a grant on another managed key", () => {
    const theirs = anApp((app) => {
      const mine = role(app);
      const conditions = { "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/orders" } };
      mine.addToPolicy(
        new iam.PolicyStatement({ actions: ["kms:Decrypt"], resources: ["*"], conditions }),
      );
      app.rotation.manage("alias/payroll", "quarterly").grantDecrypt(mine);
    });
    expect(warningsOf(theirs).map(({ path }) => path)).toEqual([
      "/Theirs/App/DefaultPolicy/Resource",
    ]);
  });

  test("not of the grants of what manage() returns", () => {
    const theirs = anApp((app) => {
      app.rotation.manage("alias/orders-eu", "quarterly").grantDecrypt(role(app));
    });
    expect(warningsOf(theirs)).toEqual([]);
  });

  test("a setting of a service, and an environment variable", () => {
    const theirs = anApp(({ stack, key }) => {
      new s3.Bucket(stack, "Bucket", { encryptionKey: key });
      new lambda.Function(stack, "Code", {
        runtime: lambda.Runtime.NODEJS_24_X,
        handler: "index.handler",
        code: lambda.Code.fromInline("exports.handler = () => {}"),
        environment: { KEY: key.keyId },
      });
    });
    const warnings = warningsOf(theirs);
    expect(warnings.map(({ path }) => path)).toEqual([
      "/Theirs/Bucket/Resource",
      "/Theirs/Code/Resource",
    ]);
    for (const { text } of warnings) expect(text).toContain("Use the name or the ARN of the alias");
  });

  test("a resource of another stack", () => {
    const theirs = anApp(({ stack, key }) => {
      const other = new Stack(stack.node.root, "Other");
      new s3.Bucket(other, "Bucket", { encryptionKey: key });
    });
    expect(warningsOf(theirs)).toEqual([]);
    const other = theirs.stack.node.root.node.findChild("Other") as Stack;
    expect(warningsOf({ ...theirs, stack: other }).map(({ path }) => path)).toEqual([
      "/Other/Bucket/Resource",
    ]);
  });

  test("not the deployment itself, the alias, a caller by tag, or another key", () => {
    const theirs = anApp(({ stack, ...app }) => {
      const other = new kms.Key(stack, "OtherKey");
      other.grantEncrypt(role({ stack, ...app }));
      new s3.Bucket(stack, "Bucket", { encryptionKey: other });
      new lambda.Function(stack, "Code", {
        runtime: lambda.Runtime.NODEJS_24_X,
        handler: "index.handler",
        code: lambda.Code.fromInline("exports.handler = () => {}"),
        environment: { KEY: app.alias.aliasName },
      });
    });
    expect(warningsOf(theirs)).toEqual([]);
  });
});

describe("synthesis refuses", () => {
  test("the name of an alias of this app: its stack would delete the key", () => {
    const theirs = anApp(({ stack, rotation, key }) => {
      new kms.Alias(stack, "ByName", { aliasName: "alias/by-name", targetKey: key });
      rotation.manage("alias/by-name", "quarterly");
      rotation.manage("alias/external", "quarterly");
    });
    const error = errorOf(theirs);
    expect(error).toContain(
      "manage(): alias/by-name is the alias Theirs/ByName/Resource of this app: pass the construct",
    );
    expect(error).not.toContain("alias/external");
  });

  test("one alias in two deployments of one account and Region", () => {
    const theirs = anApp(({ stack }) => {
      const second = new KeyRotation(stack, "Second", { policies, owner: "second" });
      second.manage("alias/shared", "quarterly");
      new KeyRotation(stack, "Third", { policies, owner: "third" }).manage(
        "alias/other",
        "quarterly",
        { aliases: ["alias/shared"] },
      );
    });
    expect(errorOf(theirs)).toContain(
      "[Theirs/Third] manage(): alias/shared is managed by Theirs/Second already",
    );
    // A second synthesis of the same app finds the same.
    expect(errorOf(theirs)).toContain("Theirs/Second already");
  });

  test("an alias of another Region or account", () => {
    const app = createApp();
    const there = new Stack(app, "There", {
      env: { account: "111122223333", region: "eu-west-1" },
    });
    const here = new Stack(app, "Here", { env: { account: "111122223333", region: "us-east-1" } });
    const targetKey = new kms.Key(there, "Key");
    const alias = new kms.Alias(there, "Alias", { aliasName: "alias/orders", targetKey });
    new KeyRotation(here, "KeyRotation", { policies }).manage(alias, "quarterly");
    expect(errorOf({ stack: here } as Theirs)).toContain(
      "There/Alias is in another account or Region than this deployment",
    );
  });

  test("a removal policy that an aspect changed after manage()", () => {
    const theirs = anApp(({ stack }) => {
      Aspects.of(stack).add({
        visit: (node) => {
          if (node instanceof CfnResource && node.cfnResourceType === "AWS::KMS::Key") {
            node.applyRemovalPolicy(RemovalPolicy.DESTROY);
          }
        },
      });
    });
    expect(errorOf(theirs)).toContain(
      "manage(): Theirs/Key/Resource has the removal policy Delete and Delete, expected Retain",
    );
    expect(errorOf(anApp())).toBe("");
  });
});
