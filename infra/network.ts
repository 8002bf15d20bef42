/** The VPC of both functions, and the rights of their roles on network interfaces. */
import { Annotations, ArnFormat, Stack } from "aws-cdk-lib";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import * as iam from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { KeyRotationProps } from "./key-rotation-props.ts";
import { allow } from "./permissions.ts";

export type Network = {
  readonly vpc: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
  readonly securityGroups?: ec2.ISecurityGroup[];
};

type Props = Pick<KeyRotationProps, "vpc" | "vpcSubnets" | "securityGroups">;

/** Undefined without a VPC. Synthesis then reports the other two fields, which have no effect. */
export function networkOf({ vpc, vpcSubnets, securityGroups }: Props): Network | undefined {
  if (vpc === undefined) return undefined;
  return {
    vpc,
    ...(vpcSubnets === undefined ? {} : { vpcSubnets }),
    ...(securityGroups === undefined ? {} : { securityGroups }),
  };
}

export function withoutVpc({ vpc, vpcSubnets, securityGroups }: Props): string[] {
  if (vpc !== undefined) return [];
  const expected = "without vpc, expected the VPC beside it";
  return [
    ...(vpcSubnets === undefined ? [] : [`vpcSubnets: got subnets ${expected}`]),
    ...(securityGroups === undefined ? [] : [`securityGroups: got groups ${expected}`]),
  ];
}

/**
 * The rights of AWSLambdaVPCAccessExecutionRole on EC2, without its right to write to every log group. Lambda
 * uses the role to manage the interfaces; the code of the function must not (Lambda developer guide,
 * configuration-vpc). EC2 describes no single interface, and Lambda chooses the ids of those that it creates.
 */
export function networkStatements(scope: Construct): iam.PolicyStatement[] {
  const actions = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
  ];
  // Not the ARN of the one function: CDK makes a function wait for the policies of its role.
  const functions = Stack.of(scope).formatArn({
    service: "lambda",
    resource: "function",
    resourceName: "*",
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return [
    allow("AttachToVpc", actions, ["*"]),
    new iam.PolicyStatement({
      sid: "OnlyLambdaAttaches",
      effect: iam.Effect.DENY,
      actions,
      resources: ["*"],
      // Lambda sets this key for calls of the function's code, and not for its own.
      conditions: { ArnLike: { "lambda:SourceFunctionArn": functions } },
    }),
  ];
}

/** The services that the functions call; Lambda itself writes their logs and receives from their queue. */
const services = { kms: "KMS", dynamodb: "DynamoDB", events: "EventBridge" };
const ofTags = { tagging: "the Resource Groups Tagging API" };

/** Warns where the app itself shows that the functions reach none of AWS's endpoints: it creates the VPC. */
export function warnAboutEndpoints(
  scope: Construct,
  { vpc, vpcSubnets }: Network,
  discovery: KeyRotationProps["discovery"] = "tagging",
): void {
  if (!(vpc instanceof ec2.Vpc)) return;
  const isolated = new Set(vpc.isolatedSubnets.map(({ subnetId }) => subnetId));
  if (!vpc.selectSubnets(vpcSubnets).subnetIds.every((id) => isolated.has(id))) return;
  const names = scope.node.root.node.findAll().flatMap((node) => {
    const isThere = node instanceof ec2.CfnVPCEndpoint && node.vpcId === vpc.vpcId;
    return isThere ? [JSON.stringify(Stack.of(node).resolve(node.serviceName))] : [];
  });
  // The name ends in that of the service, after a dot; that of FIPS endpoints has a suffix.
  const isReached = (service: string): boolean =>
    names.some((name) => new RegExp(`[.]${service}(-fips)?"`).test(name));
  const needed = Object.entries({ ...services, ...(discovery === "tagging" ? ofTags : {}) });
  const missing = needed.filter(([service]) => !isReached(service)).map(([, name]) => name);
  if (missing.length === 0) return;
  Annotations.of(scope).addWarningV2(
    "keyturn:no-endpoint",
    `vpc: the functions run in isolated subnets of ${vpc.node.path}, and the app creates no VPC endpoint in it for ${missing.join(", ")}: requests to them end in a timeout`,
  );
}
