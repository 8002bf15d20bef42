/** A deployment on an existing table, such as one that was restored from a backup. */
import { Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as iam from "aws-cdk-lib/aws-iam";
import * as kms from "aws-cdk-lib/aws-kms";
import { describe, expect, test } from "vitest";
import { KeyRotation } from "../../infra/key-rotation.ts";
import type { KeyRotationProps } from "../../infra/key-rotation-props.ts";
import { KeyRotationStack } from "../../infra/stack.ts";
import { createApp } from "./app.ts";
import type { RoleStatement } from "./role.ts";
import { errorOf, policies, resourcesOf, theirApp, type Theirs } from "./their-app.ts";

const env = { account: "111122223333", region: "eu-west-1" };
const arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/keyturn-restored";
const { STRING, NUMBER } = dynamodb.AttributeType;
const pk = { name: "pk", type: STRING };
const sk = { name: "sk", type: STRING };
const due = {
  indexName: "due",
  partitionKey: { name: "queue", type: STRING },
  sortKey: { name: "dueAtMs", type: NUMBER },
  projectionType: dynamodb.ProjectionType.KEYS_ONLY,
};

type Given = NonNullable<KeyRotationProps["stateTable"]>;

/** With exactOptionalPropertyTypes, CDK's own classes do not match CDK's own interface. */
const asITable = (table: dynamodb.Table | dynamodb.TableV2): dynamodb.ITable =>
  table as unknown as dynamodb.ITable;

const on = (given: (stack: Stack) => Given): Theirs =>
  theirApp((stack) => ({ stateTable: given(stack) }), { env });

/** The role's statements on the table, in full: with the Region and account of the stack, no token is left. */
function resourcesOn(theirs: Theirs, action: string): unknown[] {
  return Object.values(resourcesOf(theirs, "AWS::IAM::Policy")).flatMap(({ PolicyDocument }) => {
    const { Statement } = PolicyDocument as { Statement: RoleStatement[] };
    return Statement.filter(({ Action }) => [Action].flat().includes(action)).map(
      ({ Resource }) => Resource,
    );
  });
}

const imported: [how: string, given: (stack: Stack) => Given][] = [
  ["its name alone", () => "keyturn-restored"],
  [
    "Table.fromTableName",
    (stack) => dynamodb.Table.fromTableName(stack, "State", "keyturn-restored"),
  ],
  ["Table.fromTableArn", (stack) => dynamodb.Table.fromTableArn(stack, "State", arn)],
  [
    "TableV2.fromTableName",
    (stack) => dynamodb.TableV2.fromTableName(stack, "State", "keyturn-restored"),
  ],
];

describe("a table that exists outside of the app", () => {
  const partition = (text: unknown): string =>
    JSON.stringify(text).replaceAll(
      /\{"Fn::Join":\["",\["arn:",\{"Ref":"AWS::Partition"\},"([^"]*)"\]\]\}/g,
      '"arn:aws$1"',
    );

  test.each(imported)("by %s, replaces the table of the construct", (_how, given) => {
    const theirs = on(given);
    expect(resourcesOf(theirs, "AWS::DynamoDB::Table")).toEqual({});
    for (const { Environment } of Object.values(resourcesOf(theirs, "AWS::Lambda::Function"))) {
      expect(Environment).toMatchObject({ Variables: { KEYTURN_TABLE: "keyturn-restored" } });
    }
  });

  test.each(imported)(
    "by %s, is in the statements of both roles, with its index",
    (_how, given) => {
      const theirs = on(given);
      const found = (action: string): string => partition(resourcesOn(theirs, action));
      expect(found("dynamodb:PutItem")).toBe(JSON.stringify([arn, arn]));
      expect(found("dynamodb:DescribeTable")).toBe(JSON.stringify([arn]));
      expect(found("dynamodb:Query")).toBe(JSON.stringify([arn, `${arn}/index/due`]));
    },
  );

  test.each(imported)(
    "by %s, is read and requested on by those who get the grants",
    (_how, given) => {
      const theirs = on(given);
      const auditor = new iam.Role(theirs.stack, "Auditor", {
        assumedBy: new iam.AccountRootPrincipal(),
      });
      theirs.rotation.grantReading(auditor);
      theirs.rotation.grantRequests(auditor);
      const policy = Object.entries(resourcesOf(theirs, "AWS::IAM::Policy")).find(([id]) =>
        id.startsWith("Auditor"),
      );
      const text = partition(policy?.[1]["PolicyDocument"]);
      expect(text).toContain(`"Resource":${JSON.stringify([arn, `${arn}/index/due`])}`);
      expect(text).toContain(`"Action":"dynamodb:PutItem"`);
    },
  );

  test("is the dimension of every alarm on keyturn's own metrics", () => {
    const alarms = JSON.stringify(
      resourcesOf(
        on(() => "keyturn-restored"),
        "AWS::CloudWatch::Alarm",
      ),
    );
    const tables = [...alarms.matchAll(/"Name":"table","Value":([^}]*)\}/g)].map(
      ([, name]) => name,
    );
    expect(tables.length).toBeGreaterThan(5);
    expect(new Set(tables)).toEqual(new Set(['"keyturn-restored"']));
  });

  test("is named by the plain stack, too", () => {
    const configuration = { owner: "acme", policies: { quarterly: {} } };
    const stack = new KeyRotationStack(createApp(), "Keyturn", {
      configuration,
      stateTable: "keyturn-restored",
    });
    Template.fromStack(stack).hasOutput("TableName", { Value: "keyturn-restored" });
  });
});

describe("a table of the app", () => {
  test("with keyturn's keys and index is taken up", () => {
    const asTable = on((stack) => {
      const table = new dynamodb.Table(stack, "State", { partitionKey: pk, sortKey: sk });
      table.addGlobalSecondaryIndex(due);
      return asITable(table);
    });
    const { projectionType: _, ...asV2 } = due;
    const asTableV2 = on((stack) =>
      asITable(
        new dynamodb.TableV2(stack, "State", {
          partitionKey: pk,
          sortKey: sk,
          globalSecondaryIndexes: [asV2],
        }),
      ),
    );
    for (const theirs of [asTable, asTableV2]) {
      expect(errorOf(theirs)).toBe("");
      expect(JSON.stringify(resourcesOn(theirs, "dynamodb:Query"))).toMatch(
        /\{"Fn::GetAtt":\["State\w+","Arn"\]\},"\/index\/due"/,
      );
    }
  });

  test("without keyturn's keys or index fails the synthesis, with the construct path", () => {
    const keyed = on((stack) => asITable(new dynamodb.Table(stack, "State", { partitionKey: pk })));
    expect(errorOf(keyed)).toContain(
      "[Theirs/KeyRotation] stateTable: Theirs/State has other keys than keyturn's: expected pk (S) and sk (S)",
    );
    const indexed = on((stack) =>
      asITable(new dynamodb.Table(stack, "State", { partitionKey: pk, sortKey: sk })),
    );
    expect(errorOf(indexed)).toContain(
      "[Theirs/KeyRotation] stateTable: Theirs/State has no index due with the keys queue (S) and dueAtMs (N)",
    );
  });
});

describe("synthesis refuses", () => {
  test("a table under a customer managed key, which the role may not use", () => {
    const theirs = on((stack) => {
      const encryptionKey = new kms.Key(stack, "Key");
      return dynamodb.Table.fromTableAttributes(stack, "State", { tableArn: arn, encryptionKey });
    });
    expect(errorOf(theirs)).toContain(
      "[Theirs/KeyRotation] stateTable: Theirs/State is encrypted with the key Theirs/Key: expected DynamoDB's own key",
    );
  });

  test("a table of another account or Region, for which the function has only a name", () => {
    const there = arn.replace("eu-west-1", "us-east-1");
    const theirs = on((stack) => dynamodb.Table.fromTableArn(stack, "State", there));
    expect(errorOf(theirs)).toContain(
      "[Theirs/KeyRotation] stateTable: Theirs/State is in another account or Region than this deployment",
    );
  });

  test("two deployments on one table, also in two stacks", () => {
    const app = createApp();
    const [, two] = ["One", "Two"].map((id) => {
      const stack = new Stack(app, id, { env });
      const stateTable = dynamodb.Table.fromTableName(stack, "State", "keyturn-restored");
      const rotation = new KeyRotation(stack, "KeyRotation", { policies, stateTable });
      return { stack, rotation };
    }) as [Theirs, Theirs];
    const error = errorOf(two);
    expect(error).toContain(
      "[Two/KeyRotation] stateTable: keyturn-restored is the state table of One/KeyRotation already",
    );
    expect(error).not.toContain("[One/KeyRotation]");
  });

  test("not two deployments with tables of their own, or in two Regions", () => {
    const app = createApp();
    const deployed = ["eu-west-1", "us-east-1"].map((region) => {
      const stack = new Stack(app, region, { env: { ...env, region } });
      new KeyRotation(stack, "Own", { policies, owner: "own" });
      const stateTable = "keyturn-restored";
      return { stack, rotation: new KeyRotation(stack, "KeyRotation", { policies, stateTable }) };
    });
    expect(deployed.map(errorOf)).toEqual(["", ""]);
  });
});
