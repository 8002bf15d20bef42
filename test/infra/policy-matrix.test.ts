import { describe, expect, it } from "vitest";
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import { AwsError } from "../../embedded-aws/http/aws-error.ts";
import { IdentityPolicies } from "../../embedded-aws/iam/identity-policies.ts";
import { cheapCryptography } from "../../embedded-aws/kms/cheap-cryptography.ts";
import { KmsTwin } from "../../embedded-aws/kms/twin.ts";
import { SimRandom } from "../../embedded-aws/random.ts";
import { dayMs, hourMs, tagList } from "../fixtures.ts";
import {
  labels,
  oldestMs,
  owners,
  requests,
  situations,
  type Request,
  type Situation,
  type Wanted,
} from "./policy-matrix.ts";
import {
  account,
  actionsOf,
  policyOf,
  roleArn,
  roleStatements,
  type RoleStatement,
  tableName,
} from "./role.ts";
import { sample } from "../sizes.ts";

type Made = { KeyMetadata: { KeyId: string } };

const operator = { principalArn: `arn:aws:iam::${account}:user/operator` };
const startMs = Date.UTC(2027, 0, 1);

const configurations: Record<string, { document: ConfigurationDocument; wanted: Wanted }> = {
  "that deletes": {
    document: {
      owner: "acme",
      policies: {
        short: { retire: "delete", deletionWindowDays: 10, drain: { quietFor: "14d" } },
        long: { retire: "delete", deletionWindowDays: 30, drain: { quietFor: "60d" } },
      },
      managedKeys: [{ alias: "alias/orders", policy: "short" }],
    },
    wanted: { quietDays: 14, windowDays: 10, mode: "act" },
  },
  "that disables": {
    document: {
      owner: "acme",
      policies: { quarterly: { drain: { quietFor: "347h" } } },
      managedKeys: [{ alias: "alias/orders", policy: "quarterly" }],
    },
    wanted: { quietDays: 14, windowDays: "no deletion", mode: "act" },
  },
  "in the mode plan": {
    document: {
      owner: "acme",
      mode: "plan",
      policies: { quarterly: { retire: "delete" } },
      managedKeys: [{ alias: "alias/orders", policy: "quarterly" }],
    },
    wanted: { quietDays: 14, windowDays: 30, mode: "plan" },
  },
};

/** An account with one key in this situation, and its id. */
function accountWith(situation: Situation, identityPolicies: IdentityPolicies) {
  const clock = new SimClock({ startMs });
  const kms = new KmsTwin({
    clock,
    random: new SimRandom(1),
    cryptography: cheapCryptography,
    quotas: "off",
    identityPolicies,
  });
  const ask = <T>(operation: string, input: object) => kms.call(operation, input, operator) as T;
  const make = (tags: Record<string, string>, alias?: string): string => {
    const { KeyId } = ask<Made>("CreateKey", { Tags: tagList(tags) }).KeyMetadata;
    if (alias !== undefined) ask("CreateAlias", { AliasName: alias, TargetKeyId: KeyId });
    return KeyId;
  };
  make({ "keyturn:owner": "acme" }, "alias/orders");
  make({ "keyturn:owner": "acme" }, "alias/unmanaged");
  const owner = owners[situation.owner];
  const label = labels[situation.label];
  const KeyId = make({
    team: "a",
    ...(owner === undefined ? {} : { "keyturn:owner": owner }),
    ...(label === undefined ? {} : { "keyturn:retired": label }),
  });
  clock.advance(oldestMs - situation.quietDays * dayMs);
  const plaintext = { KeyId, Plaintext: Buffer.from("a") };
  const { CiphertextBlob } = ask<{ CiphertextBlob: Uint8Array }>("Encrypt", plaintext);
  // KMS's record of the last use lags by an hour.
  clock.moveTo(startMs + oldestMs + 2 * hourMs);
  if (situation.state === "Disabled") ask("DisableKey", { KeyId });
  if (situation.state === "PendingDeletion") ask("ScheduleKeyDeletion", { KeyId });
  return { kms, keyId: KeyId, ciphertext: CiphertextBlob };
}

/** Whether the policies allow it; KMS's own checks come later. */
function isAllowed(situation: Situation, request: Request, policies: IdentityPolicies): boolean {
  const { kms, keyId, ciphertext } = accountWith(situation, policies);
  try {
    kms.call(request.operation, request.input(keyId, ciphertext), { principalArn: roleArn });
    return true;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return error.code !== "AccessDeniedException";
  }
}

function* unsafeCells(
  statements: RoleStatement[],
  wanted: Wanted,
  among: readonly Situation[],
): Generator<string> {
  const policies = new IdentityPolicies();
  policies.attach(roleArn, [policyOf(statements)]);
  for (const situation of among) {
    for (const request of requests) {
      if (!isAllowed(situation, request, policies)) continue;
      const why = request.forbidden(situation, wanted);
      const asked = `${request.operation} ${JSON.stringify(request.input("<key>", Buffer.of()))}`;
      if (why !== undefined) yield `${asked} on ${JSON.stringify(situation)}: ${why}`;
    }
  }
}

describe("of all possible KMS requests with the rights of the role", () => {
  it.each(Object.entries(configurations))("%s, nothing unsafe is allowed", (_, one) => {
    const some = sample(situations, 18);
    expect([...unsafeCells(roleStatements(one), one.wanted, some)].slice(0, 20)).toEqual([]);
    expect(situations.length * requests.length).toBeGreaterThan(3000);
  });

  it("without any one condition, an unsafe one would be allowed", () => {
    const one = configurations["that deletes"];
    if (one === undefined) throw new Error("no such configuration");
    const statements = roleStatements(one).filter((each) => actionsOf(each)[0]?.startsWith("kms:"));
    const unneeded = statements.flatMap((statement) =>
      conditionsOf(statement).flatMap(([operator, key]) => {
        const loose = statements.map((each) =>
          each === statement ? withoutCondition(each, operator, key) : each,
        );
        const isNeeded = unsafeCells(loose, one.wanted, situations).next().done !== true;
        return isNeeded ? [] : [`${statement.Sid}: ${operator} ${key}`];
      }),
    );
    expect(unneeded).toEqual([]);
  });
});

/**
 * Operations that the twin does not implement. Source: "Actions defined by AWS KMS", Service
 * Authorization Reference.
 */
const unimplemented = [
  ["ConnectCustomKeyStore", "CreateCustomKeyStore", "DeleteCustomKeyStore"],
  ["DeleteImportedKeyMaterial", "DeriveSharedSecret", "DescribeCustomKeyStores"],
  ["DisconnectCustomKeyStore", "GenerateRandom", "GetParametersForImport", "ImportKeyMaterial"],
  ["ListRetirableGrants", "ReEncryptFrom", "ReEncryptTo", "ReplicateKey", "RetireGrant"],
  ["SynchronizeMultiRegionKey", "UpdateCustomKeyStore", "UpdatePrimaryRegion"],
].flat();

const ofOthers = {
  "another table": ["dynamodb:GetItem", `arn:aws:dynamodb:us-east-1:${account}:table/other`],
  "a scan": ["dynamodb:Scan", `arn:aws:dynamodb:us-east-1:${account}:table/${tableName}`],
  "deletion of the table": [
    "dynamodb:DeleteTable",
    `arn:aws:dynamodb:us-east-1:${account}:table/${tableName}`,
  ],
  "another bus": ["events:PutEvents", `arn:aws:events:us-east-1:${account}:event-bus/other`],
  "an event of another source": [
    "events:PutEvents",
    `arn:aws:events:us-east-1:${account}:event-bus/default`,
  ],
  "the schedule": ["events:DisableRule", `arn:aws:events:us-east-1:${account}:rule/schedule`],
  "its own code": [
    "lambda:UpdateFunctionCode",
    `arn:aws:lambda:us-east-1:${account}:function:keyturn`,
  ],
  "its own rights": ["iam:PutRolePolicy", roleArn],
  "another role": ["sts:AssumeRole", `arn:aws:iam::${account}:role/admin`],
  "another queue": ["sqs:SendMessage", `arn:aws:sqs:us-east-1:${account}:other`],
  "its log": ["logs:DeleteLogStream", `arn:aws:logs:us-east-1:${account}:log-group:keyturn:*`],
} satisfies Record<string, [string, string]>;

describe("beyond that, the role has no right to", () => {
  const rights = (): IdentityPolicies => {
    const policies = new IdentityPolicies();
    const document = configurations["that deletes"]?.document;
    if (document === undefined) throw new Error("no such configuration");
    policies.attach(roleArn, [policyOf(roleStatements({ document }))]);
    return policies;
  };
  const key = `arn:aws:kms:us-east-1:${account}:key/1`;
  /** The most favourable context: a retired key of ours, requested with our tags. */
  const favourable = new Map([
    ["aws:resourcetag/keyturn:owner", ["acme"]],
    ["aws:resourcetag/keyturn:retired", ["r1"]],
    ["aws:requesttag/keyturn:owner", ["acme"]],
    ["aws:tagkeys", ["keyturn:owner"]],
    ["kms:trailingdayswithoutkeyusage", ["400"]],
    ["kms:schedulekeydeletionpendingwindowindays", ["30"]],
    ["events:source", ["aws.kms"]],
  ]);

  it.each(unimplemented)("kms:%s, of any key or of none", (operation) => {
    for (const resource of [key, "*"]) {
      const asked = { principalArn: roleArn, action: `kms:${operation}`, resource };
      expect(rights().decide({ ...asked, context: () => favourable })).toBe("not allowed");
    }
  });

  it.each(Object.entries(ofOthers))("%s", (_, [action, resource]) => {
    const asked = { principalArn: roleArn, action: String(action), resource: String(resource) };
    expect(rights().decide({ ...asked, context: () => favourable })).toBe("not allowed");
  });
});

function conditionsOf({ Condition = {} }: RoleStatement): [string, string][] {
  return Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.keys(keys).map((key): [string, string] => [operator, key]),
  );
}

function withoutCondition(statement: RoleStatement, operator: string, key: string): RoleStatement {
  const { [operator]: block = {}, ...others } = statement.Condition ?? {};
  const { [key]: _, ...rest } = block;
  return { ...statement, Condition: { ...others, [operator]: rest } };
}
