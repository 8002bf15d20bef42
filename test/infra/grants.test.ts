/** Callers that hold only what `manage()` grants: the whole history of a key, with the policies of the template. */
import { Duration, Stack } from "aws-cdk-lib";
import { Annotations, Match, Template } from "aws-cdk-lib/assertions";
import * as iam from "aws-cdk-lib/aws-iam";
import * as kms from "aws-cdk-lib/aws-kms";
import { describe, expect, onTestFinished, test } from "vitest";
import { KeyRotation } from "../../infra/key-rotation.ts";
import type { ManagedKey } from "../../infra/grants.ts";
import { Account } from "./account.ts";
import { createApp } from "./app.ts";

const orders = "alias/orders";
const callerArn = "arn:aws:iam::000000000000:role/app";
const everything = [{ Effect: "Allow" as const, Action: "*", Resource: "*" }];
const policies = { quarterly: { cryptoperiod: Duration.days(90) } };

type PolicyDocument = { Statement: { Action: string | string[]; Condition?: object }[] };

/** The identity policy that the template gives the role, in the account of these tests. */
function grantedBy(
  grant: (key: ManagedKey, role: iam.Role) => void,
  named = false,
): PolicyDocument {
  const env = { account: "000000000000", region: "us-east-1" };
  const stack = new Stack(createApp(), "Theirs", { env });
  const rotation = new KeyRotation(stack, "KeyRotation", { policies });
  const targetKey = new kms.Key(stack, "Key");
  const alias = new kms.Alias(stack, "Alias", { aliasName: orders, targetKey });
  const key = rotation.manage(named ? "alias/named" : alias, "quarterly");
  grant(key, new iam.Role(stack, "App", { assumedBy: new iam.AccountRootPrincipal() }));
  const template = Template.fromStack(stack).toJSON() as {
    Resources: Record<string, { Type: string; Properties: { PolicyDocument?: PolicyDocument } }>;
  };
  const [own] = Object.entries(template.Resources)
    .filter(([id, { Type }]) => Type === "AWS::IAM::Policy" && id.startsWith("App"))
    .map(([, { Properties }]) => Properties.PolicyDocument);
  if (own === undefined) throw new Error("the role has no policy");
  const text = JSON.stringify(own).replaceAll(
    /\{"Fn::Join":\["",\["arn:",\{"Ref":"AWS::Partition"\},"([^"]*)"\]\]\}/g,
    '"arn:aws$1"',
  );
  return JSON.parse(text) as PolicyDocument;
}

/** Encrypts by the alias, and decrypts what each version protects; keeps every refusal. */
class Caller {
  readonly refusals: string[] = [];
  readonly #account: Account;
  readonly #kept = new Map<string, unknown>();

  constructor(account: Account, policy: PolicyDocument) {
    this.#account = account;
    account.policies.attach(callerArn, [JSON.stringify(policy)]);
  }

  act(): void {
    const made = this.#try("Encrypt", { KeyId: orders, Plaintext: Buffer.from("data") });
    if (made !== undefined) this.#kept.set(made.KeyId, made.CiphertextBlob);
    for (const CiphertextBlob of this.#kept.values()) this.#try("Decrypt", { CiphertextBlob });
  }

  #try(operation: string, input: object): { KeyId: string; CiphertextBlob: unknown } | undefined {
    try {
      const by = { principalArn: callerArn };
      return this.#account.aws.kms.call(operation, input, by) as never;
    } catch (error) {
      this.refusals.push(`${operation}: ${String(error)}`);
      return undefined;
    }
  }
}

const policy = {
  ...{ cryptoperiod: "10d", lead: "2d", retire: "retain" as const },
  ...{ drain: { atLeast: "2d", quietFor: "1d" } },
} as const;
const document = {
  owner: "acme",
  policies: { short: policy },
  managedKeys: [{ alias: orders, policy: "short" }],
};

async function anAccount(tagged: boolean): Promise<Account> {
  const account = await Account.deployed({ document }, everything);
  onTestFinished(() => account.close());
  // A key may have the tag before keyturn enrols it, and otherwise gets it then.
  const Tags = [{ TagKey: "keyturn:alias", TagValue: orders }];
  account.makeKey(orders, tagged ? { Tags } : {});
  return account;
}

describe("a caller that holds what manage() grants is never refused", () => {
  test.each([true, false])(
    "through a rotation, a rollback and un-enrolment: %j",
    async (tagged) => {
      const account = await anAccount(tagged);
      const caller = new Caller(
        account,
        grantedBy((key, role) => void key.grantEncryptDecrypt(role)),
      );
      const days = async (count: number): Promise<void> => {
        for (let quarter = 0; quarter < 4 * count; quarter++) {
          caller.act();
          await account.passDays(0.25);
        }
      };
      await days(9);
      await account.request(orders, { kind: "rollback", version: 2 });
      await days(2);
      await account.request(orders, { kind: "resume" });
      await account.request(orders, { kind: "rotate" });
      await days(14);
      await account.request(orders, { kind: "un-enrol", confirm: orders });
      await days(2);
      expect(caller.refusals).toEqual([]);
      expect(account.aws.kms.world.keys.size).toBeGreaterThan(2);
      expect((await account.record(orders))?.unenrolment?.endedAtMs).toBeDefined();
    },
  );

  test.each([
    ["the alias alone", { "ForAnyValue:StringEquals": { "kms:ResourceAliases": orders } }],
    ["another tag", { StringEquals: { "aws:ResourceTag/team": "orders" } }],
  ])("while one that is allowed by %s is", async (_, Condition) => {
    const account = await anAccount(true);
    const Action = ["kms:Encrypt", "kms:Decrypt"];
    const caller = new Caller(account, {
      Statement: [{ ...{ Effect: "Allow", Resource: "*" }, Action, Condition }],
    });
    for (let day = 0; day < 10; day++) {
      caller.act();
      await account.passDays(1);
    }
    expect(caller.refusals).not.toEqual([]);
  });
});

describe("the grants of what manage() returns", () => {
  test.each([
    ["grantEncrypt", ["kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]],
    ["grantDecrypt", "kms:Decrypt"],
    ["grantSign", "kms:Sign"],
    ["grantVerify", ["kms:GetPublicKey", "kms:Verify"]],
    ["grantGenerateMac", "kms:GenerateMac"],
    ["grantVerifyMac", "kms:VerifyMac"],
  ] as const)("%s allows every version by its tag, and by the alias", (name, actions) => {
    const { Statement } = grantedBy((key, role) => void key[name](role));
    expect(Statement.map(({ Action }) => [Action].flat().sort())).toEqual([
      [actions].flat(),
      [actions].flat(),
    ]);
    expect(Statement.map(({ Condition }) => Condition)).toEqual([
      { StringEquals: { "aws:ResourceTag/keyturn:alias": orders } },
      { "ForAnyValue:StringEquals": { "kms:ResourceAliases": orders } },
    ]);
  });

  test.each([
    ["a service", () => new iam.ServicePrincipal("logs.amazonaws.com")],
    ["another account", () => new iam.AccountPrincipal("999999999999")],
    [
      "a role of another account",
      (scope: Stack) =>
        iam.Role.fromRoleArn(scope, "Theirs", "arn:aws:iam::999999999999:role/theirs"),
    ],
  ] as const)("fail synthesis for %s, which only a key policy can allow", (_, granteeIn) => {
    const stack = new Stack(createApp(), "S", {
      env: { account: "000000000000", region: "us-east-1" },
    });
    const rotation = new KeyRotation(stack, "KeyRotation", { policies });
    rotation.manage("alias/named", "quarterly").grantDecrypt(granteeIn(stack));
    const errors = Annotations.fromStack(stack).findError("*", Match.anyValue());
    expect(errors.map(({ entry }) => JSON.stringify(entry.data)).join()).toContain("key policy");
  });

  test("hold for an alias that another stack has", () => {
    const { Statement } = grantedBy((key, role) => void key.grantSign(role), true);
    expect(JSON.stringify(Statement)).toContain("alias/named");
  });
});
