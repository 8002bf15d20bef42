/** Both functions in a VPC, and the rights that Lambda takes for that. */
import type { Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import { describe, expect, test } from "vitest";
import { actionsOf, isOfCollector, type RoleStatement } from "./role.ts";
import { errorOf, messagesOf, resourcesOf, theirApp, type Theirs } from "./their-app.ts";

function theirVpc(stack: Stack): ec2.IVpc {
  return ec2.Vpc.fromVpcAttributes(stack, "Vpc", {
    vpcId: "vpc-0a1b2c3d",
    availabilityZones: ["eu-west-1a", "eu-west-1b"],
    privateSubnetIds: ["subnet-0a1b2c31", "subnet-0a1b2c32"],
    isolatedSubnetIds: ["subnet-0a1b2c33", "subnet-0a1b2c34"],
  });
}

/** With exactOptionalPropertyTypes, CDK's own class does not match CDK's own interface. */
function asVpc(vpc: ec2.Vpc): ec2.IVpc {
  return vpc as unknown as ec2.IVpc;
}

const inVpc = (): Theirs => theirApp((stack) => ({ vpc: theirVpc(stack) }));

function networkStatements(theirs: Theirs): RoleStatement[][] {
  const roles = Object.entries(resourcesOf(theirs, "AWS::IAM::Policy"));
  return roles.map(([, { PolicyDocument }]) => {
    const { Statement } = PolicyDocument as { Statement: RoleStatement[] };
    return Statement.filter((one) => actionsOf(one).some((action) => action.startsWith("ec2:")));
  });
}

describe("in a VPC", () => {
  test("both functions run in its private subnets, each with a security group of its own", () => {
    const functions = Object.entries(resourcesOf(inVpc(), "AWS::Lambda::Function"));
    const groups = functions.map(([id, { VpcConfig }]) => {
      const { SubnetIds, SecurityGroupIds } = VpcConfig as Record<string, unknown[]>;
      expect(SubnetIds).toEqual(["subnet-0a1b2c31", "subnet-0a1b2c32"]);
      expect(SecurityGroupIds).toHaveLength(1);
      return [isOfCollector(id), JSON.stringify(SecurityGroupIds)];
    });
    expect(groups).toEqual([
      [false, expect.not.stringContaining("RefusedUses")],
      [true, expect.stringContaining("RefusedUses")],
    ]);
  });

  test("both functions use the subnets and the security groups that the deployment names", () => {
    const theirs = theirApp((stack) => ({
      vpc: theirVpc(stack),
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, "Group", "sg-0a1b2c3d")],
    }));
    const functions = Object.values(resourcesOf(theirs, "AWS::Lambda::Function"));
    const used = {
      SubnetIds: ["subnet-0a1b2c33", "subnet-0a1b2c34"],
      SecurityGroupIds: ["sg-0a1b2c3d"],
    };
    expect(functions.map(({ VpcConfig }) => VpcConfig)).toEqual([used, used]);
    expect(resourcesOf(theirs, "AWS::EC2::SecurityGroup")).toEqual({});
  });

  test("Lambda manages network interfaces with each role, and the code of a function cannot", () => {
    const statements = networkStatements(inVpc());
    expect(statements).toHaveLength(2);
    for (const [allowed, denied, ...others] of statements) {
      expect(others).toEqual([]);
      const actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ];
      expect(allowed).toMatchObject({ Effect: "Allow", Action: actions, Resource: "*" });
      expect(denied).toMatchObject({ Effect: "Deny", Action: actions, Resource: "*" });
      expect(JSON.stringify(denied?.Condition)).toMatch(
        /^\{"ArnLike":\{"lambda:SourceFunctionArn":.*:function:\*"/,
      );
    }
  });

  test("neither role has a managed policy of AWS, which could write to every log group", () => {
    const template = JSON.stringify(Template.fromStack(inVpc().stack).toJSON());
    expect(template).not.toContain(":iam::aws:policy/");
  });

  test("no checker is given a reason for functions outside of a VPC", () => {
    const reasons = (theirs: Theirs): boolean =>
      JSON.stringify(Template.fromStack(theirs.stack).toJSON()).includes("CKV_AWS_117");
    expect([reasons(theirApp()), reasons(inVpc())]).toEqual([true, false]);
  });
});

describe("in isolated subnets of a VPC of the app", () => {
  const { KMS, EVENTBRIDGE, TAGGING } = ec2.InterfaceVpcEndpointAwsService;

  function isolated(
    more: (vpc: ec2.Vpc) => void = () => undefined,
    props: { discovery?: "walk" } = {},
  ): Theirs {
    return theirApp((stack) => {
      const subnetConfiguration = [{ name: "a", subnetType: ec2.SubnetType.PRIVATE_ISOLATED }];
      const vpc = new ec2.Vpc(stack, "Vpc", { maxAzs: 1, subnetConfiguration });
      more(vpc);
      return { vpc: asVpc(vpc), ...props };
    });
  }

  test("synthesis warns of each service that no endpoint reaches, with the construct path", () => {
    const [warning, ...others] = messagesOf(
      isolated((vpc) => {
        vpc.addInterfaceEndpoint("Kms", { service: KMS });
      }),
    );
    expect(others).toEqual([]);
    expect(warning).toMatchObject({ level: "warning", path: "/Theirs/KeyRotation" });
    expect(warning?.text).toContain(
      "isolated subnets of Theirs/Vpc, and the app creates no VPC endpoint in it for DynamoDB, EventBridge, the Resource Groups Tagging API: requests to them end in a timeout",
    );
  });

  test("synthesis does not warn where every service has an endpoint", () => {
    const all = isolated((vpc) => {
      vpc.addGatewayEndpoint("Table", { service: ec2.GatewayVpcEndpointAwsService.DYNAMODB });
      for (const service of [KMS, EVENTBRIDGE, TAGGING]) {
        vpc.addInterfaceEndpoint(service.shortName, { service });
      }
    });
    expect(messagesOf(all)).toEqual([]);
  });

  test("an endpoint of another VPC does not count, and none for tags is needed where keyturn lists keys", () => {
    const theirs = isolated(
      ({ stack }) => {
        const other = new ec2.Vpc(stack, "Other", { maxAzs: 1 });
        other.addInterfaceEndpoint("Kms", { service: KMS });
      },
      { discovery: "walk" },
    );
    expect(messagesOf(theirs).map(({ text }) => text)).toEqual([
      expect.stringContaining("for KMS, DynamoDB, EventBridge: requests"),
    ]);
  });
});

test("in subnets with a route to the internet, synthesis does not warn", () => {
  const theirs = theirApp((stack) => ({
    vpc: asVpc(new ec2.Vpc(stack, "Vpc", { maxAzs: 1 })),
  }));
  expect(messagesOf(theirs)).toEqual([]);
  const ofImported = messagesOf(inVpc()).filter(({ path }) => path.includes("KeyRotation"));
  expect(ofImported).toEqual([]);
});

describe("without a VPC", () => {
  test("no role has a right on network interfaces", () => {
    expect(networkStatements(theirApp())).toEqual([[], []]);
  });

  test("subnets and security groups fail the synthesis, with the construct path", () => {
    const theirs = theirApp((stack) => ({
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, "Group", "sg-0a1b2c3d")],
    }));
    const error = errorOf(theirs);
    expect(error).toContain("[Theirs/KeyRotation] vpcSubnets: got subnets without vpc");
    expect(error).toContain("[Theirs/KeyRotation] securityGroups: got groups without vpc");
  });
});
