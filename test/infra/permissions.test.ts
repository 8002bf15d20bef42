import { readFileSync, readdirSync } from "node:fs";
import { Template } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { KeyRotationStack } from "../../infra/stack.ts";
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";
import { createApp } from "./app.ts";
import { actionsOf, isOfCollector, type RoleStatement as Statement } from "./role.ts";

type Policies = ConfigurationDocument["policies"];
type Deployment = {
  policies?: Policies;
  managedKeys?: ConfigurationDocument["managedKeys"];
  taggedAliases?: string[];
  discovery?: "tagging" | "walk";
  mode?: "act" | "plan";
};

/** Every statement of the first function's role, in all of its policies. */
function statementsOf(deployment: Deployment = {}): Statement[] {
  const { policies = { quarterly: {} }, discovery, mode, taggedAliases = [] } = deployment;
  const managed = [{ alias: "alias/orders", policy: Object.keys(policies)[0] ?? "none" }];
  const { managedKeys = managed } = deployment;
  const app = createApp();
  const stack = new KeyRotationStack(app, "Keyturn", {
    configuration: {
      owner: "acme",
      ...(mode === undefined ? {} : { mode }),
      policies,
      managedKeys,
      taggedAliases,
    },
    ...(discovery === undefined ? {} : { discovery }),
  });
  const template = Template.fromStack(stack);
  const found = {
    ...template.findResources("AWS::IAM::Policy"),
    ...template.findResources("AWS::IAM::ManagedPolicy"),
  } as Record<string, { Properties: { PolicyDocument: { Statement: Statement[] } } }>;
  const ours = Object.entries(found).filter(([logicalId]) => !isOfCollector(logicalId));
  return ours.flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
}

function allowing(action: string, statements = statementsOf()): Statement[] {
  return statements.filter((statement) => actionsOf(statement).includes(action));
}

const ownKey = { "aws:ResourceTag/keyturn:owner": "acme" };

describe("the function's role", () => {
  it("may do only this", () => {
    const policies: Policies = { quarterly: { retire: "delete" } };
    const actions = new Set(statementsOf({ policies }).flatMap(actionsOf));
    expect([...actions].sort()).toEqual([
      "dynamodb:BatchGetItem",
      "dynamodb:DeleteItem",
      "dynamodb:DescribeTable",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "dynamodb:UpdateItem",
      "events:PutEvents",
      "kms:CancelKeyDeletion",
      "kms:CreateGrant",
      "kms:CreateKey",
      "kms:DescribeKey",
      "kms:DisableKey",
      "kms:EnableKey",
      "kms:GetKeyLastUsage",
      "kms:GetKeyPolicy",
      "kms:GetKeyRotationStatus",
      "kms:GetPublicKey",
      "kms:ListAliases",
      "kms:ListGrants",
      "kms:ListResourceTags",
      "kms:ScheduleKeyDeletion",
      "kms:TagResource",
      "kms:UntagResource",
      "kms:UpdateAlias",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "sqs:SendMessage",
      "tag:GetResources",
    ]);
  });

  it("may do every operation of the adapters", () => {
    const folder = new URL("../../lambda/aws/", import.meta.url);
    const sources = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), "utf8"));
    const asked = sources.join("\n").matchAll(/\b(?:new (\w+)Command\(|paginate(\w+)\()/g);
    const operations = new Set([...asked].map(([, command, paginator]) => command ?? paginator));
    const policies: Policies = { quarterly: { retire: "delete" } };
    const statements = [
      ...statementsOf({ policies }),
      ...statementsOf({ policies, discovery: "walk" }),
    ];
    const allowed = new Set(statements.flatMap(actionsOf).map((action) => action.split(":")[1]));
    expect([...operations].filter((operation) => !allowed.has(operation))).toEqual([]);
    expect(operations.size).toBeGreaterThan(15);
  });

  it("names every action in full, without wildcards", () => {
    const actions = statementsOf().flatMap(actionsOf);
    expect(actions.filter((action) => action.includes("*"))).toEqual([]);
  });

  it("has the asterisk as resource only where IAM accepts no other", () => {
    const wide = statementsOf().filter(({ Resource }) => JSON.stringify(Resource) === '"*"');
    expect(wide.flatMap(actionsOf).sort()).toEqual([
      "kms:CreateKey",
      "kms:ListAliases",
      "tag:GetResources",
    ]);
  });

  it("has no managed policy of AWS", () => {
    const app = createApp();
    const configuration = { owner: "acme", policies: { quarterly: {} } };
    const template = Template.fromStack(new KeyRotationStack(app, "Keyturn", { configuration }));
    expect(JSON.stringify(template.toJSON())).not.toContain(":iam::aws:policy/");
  });

  it("may list all keys only if configured, and then not use the Tagging API", () => {
    const statements = statementsOf({ discovery: "walk" });
    expect(allowing("kms:ListKeys", statements)).toHaveLength(1);
    expect(allowing("tag:GetResources", statements)).toHaveLength(0);
  });
});

describe("keys", () => {
  it("are created only with the owner tag and the lockout safety check", () => {
    expect(allowing("kms:CreateKey").map(({ Condition }) => Condition)).toEqual([
      {
        StringEquals: { "aws:RequestTag/keyturn:owner": "acme" },
        BoolIfExists: { "kms:BypassPolicyLockoutSafetyCheck": "false" },
      },
    ]);
  });

  it("get our owner tag if they have no owner, and otherwise only our tags", () => {
    expect(allowing("kms:TagResource").map(({ Condition }) => Condition)).toEqual([
      {
        StringEquals: { "aws:RequestTag/keyturn:owner": "acme" },
        StringEqualsIfExists: ownKey,
      },
      {
        StringEquals: ownKey,
        StringEqualsIfExists: { "aws:RequestTag/keyturn:owner": "acme" },
        "ForAllValues:StringLike": { "aws:TagKeys": "keyturn:*" },
        Null: { "aws:TagKeys": "false" },
      },
    ]);
  });

  it("lose only our tags, and only if we own them", () => {
    expect(allowing("kms:UntagResource").map(({ Condition }) => Condition)).toEqual([
      {
        StringEquals: ownKey,
        "ForAllValues:StringLike": { "aws:TagKeys": "keyturn:*" },
        Null: { "aws:TagKeys": "false" },
      },
    ]);
  });

  it.each([
    "EnableKey",
    "CancelKeyDeletion",
    "DisableKey",
    "CreateGrant",
    "GetKeyLastUsage",
    "UntagResource",
  ])("of other owners are out of reach of %s", (operation) => {
    const statements = allowing(`kms:${operation}`);
    expect(statements).toHaveLength(1);
    expect(statements[0]?.Condition?.StringEquals).toEqual(ownKey);
  });

  it("get grants for any principal but the role itself and its sessions", () => {
    const [statement] = allowing("kms:CreateGrant");
    const refused = JSON.stringify(statement?.Condition?.StringNotLike);
    expect(refused).toMatch(/"kms:GranteePrincipal":.*"Arn".*:assumed-role\//);
  });
});

describe("aliases", () => {
  it("move only if managed, from and to keys of the owner", () => {
    const [ofAlias, ofKey, ...others] = allowing("kms:UpdateAlias");
    expect(others).toEqual([]);
    expect(JSON.stringify(ofAlias?.Resource)).toMatch(/:alias\/orders"/);
    expect(ofKey?.Condition).toEqual({ StringEquals: ownKey });
  });

  it("also move if they match a pattern of taggedAliases", () => {
    const [, ofPattern] = JSON.stringify(
      allowing("kms:UpdateAlias", statementsOf({ taggedAliases: ["alias/team-*"] })),
    ).split(":alias/orders");
    expect(ofPattern).toContain(":alias/team-*");
  });

  it("of a deployment without policies do not move, and it disables no key", () => {
    expect(allowing("kms:DisableKey", statementsOf({ policies: {}, managedKeys: [] }))).toEqual([]);
  });
});

describe("the end of a key", () => {
  const retired = { "aws:ResourceTag/keyturn:retired": "false" };

  it("requires the drain label, and the shortest quiet period of all policies", () => {
    const policies: Policies = { quarterly: {}, kept: { drain: { quietFor: "90h" } } };
    const disabling = allowing("kms:DisableKey", statementsOf({ policies }));
    expect(disabling.map(({ Condition }) => Condition)).toEqual([
      {
        StringEquals: ownKey,
        Null: retired,
        NumericGreaterThanEquals: { "kms:TrailingDaysWithoutKeyUsage": "3" },
      },
    ]);
  });

  it("requires the shortest window and quiet period of the policies that delete, in whole days", () => {
    const policies: Policies = {
      quarterly: { retire: "delete", deletionWindowDays: 14, drain: { quietFor: "90h" } },
      yearly: { retire: "delete", deletionWindowDays: 8 },
      kept: { retire: "disable", deletionWindowDays: 7, drain: { quietFor: "2h" } },
    };
    const statements = allowing("kms:ScheduleKeyDeletion", statementsOf({ policies }));
    expect(statements.map(({ Condition }) => Condition)).toEqual([
      {
        StringEquals: ownKey,
        Null: retired,
        NumericGreaterThanEquals: {
          "kms:ScheduleKeyDeletionPendingWindowInDays": "8",
          "kms:TrailingDaysWithoutKeyUsage": "3",
        },
      },
    ]);
  });

  it("has no minimum quiet period if a policy that deletes continues without evidence", () => {
    const policies: Policies = {
      quarterly: { retire: "delete" },
      fast: { retire: "delete", drain: { evidence: "advisory" } },
    };
    const [statement] = allowing("kms:ScheduleKeyDeletion", statementsOf({ policies }));
    expect(statement?.Condition?.NumericGreaterThanEquals).toEqual({
      "kms:ScheduleKeyDeletionPendingWindowInDays": "30",
    });
  });

  it("cannot be deletion if no policy deletes", () => {
    expect(allowing("kms:ScheduleKeyDeletion")).toEqual([]);
  });
});

describe("in the mode plan", () => {
  const policies: Policies = { quarterly: { retire: "delete" } };
  const reads = [
    "kms:DescribeKey",
    "kms:GetKeyLastUsage",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:GetPublicKey",
    "kms:ListAliases",
    "kms:ListGrants",
    "kms:ListResourceTags",
  ];
  const kmsActionsOf = (deployment: Deployment): string[] => {
    const actions = statementsOf({ ...deployment, policies, mode: "plan" }).flatMap(actionsOf);
    return actions.filter((action) => action.startsWith("kms:")).sort();
  };

  it("the role may read keys, and change none", () => {
    expect(kmsActionsOf({})).toEqual(reads);
    expect(kmsActionsOf({ discovery: "walk" })).toEqual([...reads, "kms:ListKeys"].sort());
  });

  it("the role writes its state and publishes events as in mode act", () => {
    const others = (mode: "act" | "plan"): Statement[] => {
      return statementsOf({ policies, mode }).filter((statement) => {
        return !actionsOf(statement).some((action) => action.startsWith("kms:"));
      });
    };
    expect(others("plan")).toEqual(others("act"));
  });
});

describe("the table", () => {
  it("is the only one with DescribeTable, by its own ARN", () => {
    const [described, ...others] = allowing("dynamodb:DescribeTable");
    expect(others).toEqual([]);
    expect(described?.Resource).toEqual(allowing("dynamodb:PutItem")[0]?.Resource);
  });
});
