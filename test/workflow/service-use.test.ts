/** `originate: alias-only` for keys whose key policy shows that AWS services use them. */
import { describe, expect, test } from "vitest";
import { whyNotAliasOnly, withAliasOnly } from "../../lambda/workflow/enrolment/alias-only.ts";

const account = "arn:aws:iam::000000000000";
const delegate = {
  Effect: "Allow",
  Principal: { AWS: `${account}:root` },
  Action: "kms:*",
  Resource: "*",
};

function why(statement: object): string | undefined {
  const Statement = [delegate, { ...delegate, ...statement }];
  return whyNotAliasOnly(JSON.stringify({ Version: "2012-10-17", Statement }, null, 2), []);
}

/** Each condition key by which a policy allows or denies the calls of services, with a value. */
const serviceKeys: [key: string, value: string][] = [
  ["kms:ViaService", "s3.us-east-1.amazonaws.com"],
  ["kms:GrantIsForAWSResource", "true"],
  ["kms:GranteeServicePrincipal", "rds.amazonaws.com"],
  ["kms:GrantConstraintSourceArn", "arn:aws:rds:us-east-1:000000000000:db:*"],
  ["aws:SourceArn", "arn:aws:cloudtrail:us-east-1:000000000000:trail/*"],
  ["aws:SourceAccount", "000000000000"],
  ["aws:SourceOrgID", "o-a"],
  ["aws:SourceOrgPaths", "o-a/*"],
  ["aws:SourceOwner", "000000000000"],
  ["aws:CalledVia", "athena.amazonaws.com"],
  ["aws:CalledViaFirst", "athena.amazonaws.com"],
  ["aws:CalledViaLast", "athena.amazonaws.com"],
  ["aws:PrincipalIsAWSService", "true"],
  ["aws:PrincipalServiceName", "logs.us-east-1.amazonaws.com"],
  ["aws:PrincipalServiceNamesList", "logs.amazonaws.com"],
  ["aws:ViaAWSService", "true"],
];

const contexts = [
  "aws:s3:arn",
  "aws:ebs:id",
  "aws:lambda:FunctionArn",
  "aws:dynamodb:tableName",
  "aws:dynamodb:subscriberId",
  "aws:rds:db-id",
  "aws:logs:arn",
  "aws:sqs:arn",
  "aws:cloudtrail:arn",
  "SecretARN",
  "SecretVersionId",
  "PARAMETER_ARN",
  "glue_catalog_id",
];

const contextKeys = contexts.map((name): [string, string] => [
  `kms:EncryptionContext:${name}`,
  "a",
]);

const operators = [
  ...["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIfExists"],
  ...["StringNotEqualsIfExists", "ForAnyValue:StringEquals", "ForAnyValue:StringNotEquals"],
  ...["ForAllValues:StringLike", "ForAnyValue:StringLikeIfExists", "ArnLike", "ArnNotLikeIfExists"],
  ...["StringEqualsIgnoreCase", "Bool", "BoolIfExists", "Null"],
];

const spellings = [
  (key: string) => key,
  (key: string) => key.toLowerCase(),
  (key: string) => key.toUpperCase(),
];

/** keyturn recognises a statement of either effect by this condition, with each operator in each spelling. */
function expectRecognised(key: string, value: string, without: string[] = []): void {
  const missed: string[] = [];
  for (const Effect of ["Allow", "Deny"]) {
    for (const operator of operators) {
      if (Effect === "Deny" && without.includes(operator)) continue;
      for (const spelling of spellings) {
        for (const values of [value, [value], ["x", value]]) {
          const Condition = { [operator]: { [spelling(key)]: values } };
          const found = why({ Effect, Sid: "OfServices", Principal: "*", Condition });
          const wanted = `statement OfServices of its key policy has the condition key ${spelling(key)}`;
          if (found !== wanted) missed.push(`${Effect} ${JSON.stringify(Condition)}: ${found}`);
        }
      }
    }
  }
  expect(missed).toEqual([]);
}

describe("a key cannot have the statement where its key policy has the condition key", () => {
  test.each([...serviceKeys, ...contextKeys])(
    "%s, with any operator, in any letters",
    (key, value) => {
      const plain = key === "kms:ViaService" ? ["StringEquals", "StringLike"] : [];
      expectRecognised(key, value, plain);
    },
  );

  test.each([...contexts, "aws:*"])("kms:EncryptionContextKeys, which names %s", (name) => {
    expectRecognised("kms:EncryptionContextKeys", name);
  });

  const linked = `${account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRole`;
  test.each([
    ["aws:PrincipalArn", linked],
    ["aws:PrincipalArn", "arn:aws:iam::*:role/aws-service-role/*"],
    ["kms:GranteePrincipal", "rds.us-east-1.amazonaws.com"],
    ["kms:RetiringPrincipal", "dynamodb.us-east-1.amazonaws.com"],
  ])("%s, which names %s", (key, value) => {
    expectRecognised(key, value);
  });

  test("that excludes services: that does not show which other services use the key", () => {
    for (const key of ["aws:PrincipalIsAWSService", "kms:GrantIsForAWSResource"]) {
      const Condition = { Bool: { [key]: "false" } };
      expect(why({ Condition })).toBe(`statement 2 of its key policy has the condition key ${key}`);
    }
  });
});

describe("a key cannot have the statement where its key policy names the service", () => {
  test.each([
    "logs.us-east-1.amazonaws.com",
    "s3.amazonaws.com",
    "logs.cn-north-1.amazonaws.com.cn",
    "s3.amazonaws.eu",
    "s3.c2s.ic.gov",
    "s3.sc2s.sgov.gov",
    "s3.csp.hci.ic.gov",
    "s3.cloud.adc-e.uk",
    "delivery.logs.amazonaws.com",
  ])("%s", (service) => {
    const named = `names the service ${service}`;
    const principals = [
      { Service: service },
      { Service: [service] },
      { AWS: service },
      { AWS: ["*", service] },
    ];
    for (const Principal of principals) {
      expect(why({ Principal }), JSON.stringify(Principal)).toBe(
        `statement 2 of its key policy ${named}`,
      );
      for (const Effect of ["Allow", "Deny"]) {
        const but = { Effect, Sid: "But", Principal: undefined, NotPrincipal: Principal };
        expect(why(but)).toBe(`statement But of its key policy ${named}`);
      }
    }
    const Condition = { Bool: { "aws:SecureTransport": "false" } };
    const sometimes = { Effect: "Deny", Principal: { Service: service }, Condition };
    expect(why(sometimes)).toContain(named);
  });
});

describe("a key can have the statement", () => {
  test.each<[what: string, statement: object]>([
    [
      "where a Deny takes it from a service",
      { Effect: "Deny", Principal: { Service: "s3.amazonaws.com" } },
    ],
    [
      "where a Deny takes it from callers through a service",
      {
        ...{ Effect: "Deny", Principal: "*" },
        Condition: {
          StringEquals: { "kms:ViaService": "s3.us-east-1.amazonaws.com" },
          StringLike: { "KMS:VIASERVICE": ["s3.*", "ec2.*"] },
        },
      },
    ],
    ["for an account, as a number", { Principal: { AWS: "000000000000" } }],
    ["for a role with dots in its name", { Principal: { AWS: `${account}:role/a.b.c` } }],
    ["for federated users", { Principal: { Federated: "accounts.example.com" } }],
    ["for all but a role", { Principal: undefined, NotPrincipal: { AWS: `${account}:role/x` } }],
    ["without a condition", { Condition: {} }],
  ])("%s", (_, statement) => {
    expect(why(statement)).toBeUndefined();
  });

  test.each<[key: string, value: string]>([
    ["kms:CallerAccount", "000000000000"],
    ["kms:RequestAlias", "alias/orders"],
    ["kms:EncryptionContext:tenant", "aws:s3:arn"],
    ["kms:EncryptionContext:aws-crypto-public-key", "a"],
    ["kms:EncryptionContextKeys", "tenant"],
    ["kms:GrantConstraintType", "EncryptionContextSubset"],
    ["kms:GrantOperations", "Decrypt"],
    ["kms:GranteePrincipal", `${account}:role/x`],
    ["aws:SourceIp", "10.0.0.1"],
    ["aws:SourceVpc", "vpc-1"],
    ["aws:SourceVpce", "vpce-1"],
    ["aws:SourceIdentity", "a.b.c"],
    ["aws:PrincipalArn", `${account}:role/x`],
    ["aws:PrincipalTag/team", "s3.amazonaws.com"],
    ["aws:PrincipalOrgID", "o-a"],
    ["aws:PrincipalType", "User"],
    ["aws:MultiFactorAuthPresent", "true"],
  ])("where a condition limits other callers: %s %s", (key, value) => {
    for (const operator of operators) {
      for (const Effect of ["Allow", "Deny"]) {
        const Condition = { [operator]: { [key]: [value] } };
        expect(why({ Effect, Condition }), operator).toBeUndefined();
      }
    }
  });

  test("beside keyturn's own statement", () => {
    const document = JSON.stringify({ Version: "2012-10-17", Statement: delegate });
    expect(whyNotAliasOnly(withAliasOnly(document, ["alias/orders"]), [])).toBeUndefined();
  });
});
