/** The policies of the functions' roles from the template, with deployed names. */
import { Template } from "aws-cdk-lib/assertions";
import { KeyRotationStack } from "../../infra/stack.ts";
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";
import { createApp } from "./app.ts";

export const account = "000000000000";
export const region = "us-east-1";
export const tableName = "keyturn";
/** The embedded AWS's name for the principal with the access key `keyturn`. */
export const roleArn = `arn:aws:iam::${account}:user/keyturn`;
export const roleName = "keyturn-role";
/** The second function's, with the access key `collector`. */
export const collectorArn = `arn:aws:iam::${account}:user/collector`;
export const refusalsQueueArn = `arn:aws:sqs:${region}:${account}:refused-uses`;

export type Deployed = {
  document: ConfigurationDocument;
  discovery?: "tagging" | "walk";
  watchDrain?: boolean;
  watchRefusals?: boolean;
};

export type RoleStatement = {
  Sid?: string;
  Effect: "Allow" | "Deny";
  Action: string | string[];
  Resource: unknown;
  Condition?: Record<string, Record<string, unknown>>;
};
type Resources = Record<string, { Type: string; Properties: Record<string, unknown> }>;

export function actionsOf({ Action }: RoleStatement): string[] {
  return [Action].flat();
}

/** Every statement of the first function's role, in all of its policies. */
export function roleStatements(deployed: Deployed): RoleStatement[] {
  return statementsOf(deployed, (logicalId) => !isOfCollector(logicalId));
}

/** The same for the second function. */
export function collectorRoleStatements(deployed: Deployed): RoleStatement[] {
  return statementsOf(deployed, isOfCollector);
}

/** By its construct's path. */
export function isOfCollector(logicalId: string): boolean {
  return logicalId.includes("RefusedUses");
}

function statementsOf(
  { document, discovery, watchDrain, watchRefusals }: Deployed,
  isWanted: (logicalId: string) => boolean,
): RoleStatement[] {
  const stack = new KeyRotationStack(createApp(), "Keyturn", {
    configuration: document,
    ...(discovery === undefined ? {} : { discovery }),
    ...(watchDrain === undefined ? {} : { watchDrain }),
    ...(watchRefusals === undefined ? {} : { watchRefusals }),
  });
  const { Resources: resources } = Template.fromStack(stack).toJSON() as { Resources: Resources };
  const [role, ...others] = Object.keys(resources).filter(
    (id) => resources[id]?.Type === "AWS::IAM::Role" && isWanted(id),
  );
  if (role === undefined || others.length > 0) throw new Error("expected one role");
  const policies = Object.values(resources).filter(
    ({ Type, Properties: { Roles } }) =>
      /^AWS::IAM::(?:Managed)?Policy$/.test(Type) && JSON.stringify(Roles).includes(`"${role}"`),
  );
  return policies.flatMap(({ Properties: { PolicyDocument } }) => {
    const filled = filledIn(PolicyDocument, resources) as { Statement: RoleStatement[] };
    return filled.Statement;
  });
}

export function policyOf(statements: RoleStatement[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

function filledIn(value: unknown, resources: Resources): unknown {
  if (Array.isArray(value)) return value.map((each) => filledIn(each, resources));
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Record<string, unknown>;
  const { Ref: ref, "Fn::GetAtt": attribute, "Fn::Join": join } = fields;
  if (typeof ref === "string") return named(ref, resources);
  if (Array.isArray(attribute)) return arnOf(String(attribute[0]), resources);
  if (Array.isArray(join)) {
    const [separator, parts] = join as [string, unknown[]];
    return parts.map((part) => String(filledIn(part, resources))).join(separator);
  }
  const entries = Object.entries(fields);
  return Object.fromEntries(entries.map(([name, each]) => [name, filledIn(each, resources)]));
}

function named(ref: string, resources: Resources): string {
  const pseudo = { "AWS::Partition": "aws", "AWS::Region": region, "AWS::AccountId": account };
  if (Object.hasOwn(pseudo, ref)) return pseudo[ref as keyof typeof pseudo];
  if (resources[ref]?.Type === "AWS::DynamoDB::Table") return tableName;
  if (resources[ref]?.Type === "AWS::IAM::Role") return roleName;
  throw new Error(`no name for ${ref}`);
}

function arnOf(logicalId: string, resources: Resources): string {
  const type = resources[logicalId]?.Type;
  switch (type) {
    case "AWS::DynamoDB::Table":
      return `arn:aws:dynamodb:${region}:${account}:table/${tableName}`;
    case "AWS::IAM::Role":
      return roleArn;
    case "AWS::SQS::Queue":
      return isOfCollector(logicalId)
        ? refusalsQueueArn
        : `arn:aws:sqs:${region}:${account}:dead-letters`;
    case "AWS::Logs::LogGroup": {
      const name = isOfCollector(logicalId) ? "keyturn-refusals" : "keyturn";
      return `arn:aws:logs:${region}:${account}:log-group:${name}:*`;
    }
    default:
      throw new Error(`no ARN for ${logicalId}, a ${type}`);
  }
}
