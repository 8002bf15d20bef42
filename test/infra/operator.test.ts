import { Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import * as iam from "aws-cdk-lib/aws-iam";
import { expect, it } from "vitest";
import { KeyRotation } from "../../infra/key-rotation.ts";
import { AwsError } from "../../embedded-aws/http/aws-error.ts";
import { IdentityPolicies } from "../../embedded-aws/iam/identity-policies.ts";
import { authorizeService } from "../../embedded-aws/iam/service-requests.ts";
import { createApp } from "./app.ts";
import { account, policyOf, region, tableName, type RoleStatement } from "./role.ts";

const operator = `arn:aws:iam::${account}:role/operator`;

/** The rights of an operator's role with `grantRequests` for these managed keys. */
function rightsTo(...aliases: string[]): IdentityPolicies {
  const stack = new Stack(createApp(), "Ours");
  const rotation = new KeyRotation(stack, "KeyRotation", { policies: { quarterly: {} } });
  const role = new iam.Role(stack, "Operator", { assumedBy: new iam.AccountRootPrincipal() });
  rotation.grantRequests(role, ...aliases);
  const policies = Object.values(Template.fromStack(stack).findResources("AWS::IAM::Policy")) as {
    Properties: { PolicyDocument: { Statement: RoleStatement[] }; Roles: unknown };
  }[];
  const statements = policies
    .filter(({ Properties: { Roles } }) => JSON.stringify(Roles).includes("Operator"))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
    .map((statement) => ({
      ...statement,
      Resource: `arn:aws:dynamodb:${region}:${account}:table/${tableName}`,
    }));
  const rights = new IdentityPolicies();
  rights.attach(operator, [policyOf(statements)]);
  return rights;
}

function mayDo(identityPolicies: IdentityPolicies, operation: string, input: object): boolean {
  const request = { service: "dynamodb", operation, principalArn: operator, input } as const;
  try {
    authorizeService({ identityPolicies, region, account }, request);
    return true;
  } catch (error) {
    if (error instanceof AwsError && error.code === "AccessDeniedException") return false;
    throw error;
  }
}

const item = (pk: string) => ({ TableName: tableName, Item: { pk: { S: pk }, sk: { S: "1" } } });
const key = (pk: string) => ({ TableName: tableName, Key: { pk: { S: pk }, sk: { S: "1" } } });

it("an operator writes requests, and nothing else", () => {
  const rights = rightsTo();
  expect(mayDo(rights, "PutItem", item("request#alias/orders"))).toBe(true);
  expect(mayDo(rights, "PutItem", item("key#alias/orders"))).toBe(false);
  expect(mayDo(rights, "PutItem", { TableName: tableName })).toBe(false);
  const { Item } = item("request#alias/orders");
  const batch = { RequestItems: { [tableName]: [{ PutRequest: { Item } }] } };
  expect(mayDo(rights, "BatchWriteItem", batch)).toBe(false);
  expect(mayDo(rights, "Scan", { TableName: tableName })).toBe(false);
  for (const operation of ["UpdateItem", "DeleteItem", "GetItem"]) {
    expect(mayDo(rights, operation, key("request#alias/orders"))).toBe(false);
    expect(mayDo(rights, operation, key("key#alias/orders"))).toBe(false);
  }
});

it("an operator with rights for one managed key cannot request for another", () => {
  const rights = rightsTo("alias/orders");
  expect(mayDo(rights, "PutItem", item("request#alias/orders"))).toBe(true);
  expect(mayDo(rights, "PutItem", item("request#alias/orders-eu"))).toBe(false);
  expect(mayDo(rights, "PutItem", item("request#alias/invoices"))).toBe(false);
});

it.each(["DisableKey", "ScheduleKeyDeletion", "UpdateAlias", "TagResource", "Decrypt"])(
  "an operator has no right to kms:%s",
  (operation) => {
    const resource = `arn:aws:kms:${region}:${account}:key/1`;
    const asked = { principalArn: operator, action: `kms:${operation}`, resource };
    expect(rightsTo().decide({ ...asked, context: () => new Map() })).toBe("not allowed");
  },
);
