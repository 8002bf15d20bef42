/** Log groups and queues under customer managed keys, and the rights on these keys. */
import { type Stack, Tags } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import * as kms from "aws-cdk-lib/aws-kms";
import { describe, expect, test } from "vitest";
import { KeyRotation } from "../../infra/key-rotation.ts";
import { actionsOf, isOfCollector, type RoleStatement } from "./role.ts";
import { errorOf, messagesOf, policies, resourcesOf, theirApp, type Theirs } from "./their-app.ts";

type Statement = RoleStatement & { Principal: unknown };

const aKey = (stack: Stack): kms.Key => new kms.Key(stack, "Key");
const keyArn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const imported = (stack: Stack): kms.IKey => kms.Key.fromKeyArn(stack, "Key", keyArn);
const onLogs = (key: (stack: Stack) => kms.IKey): Theirs =>
  theirApp((stack) => ({ logEncryptionKey: key(stack) }));
const onQueues = (key: (stack: Stack) => kms.IKey): Theirs =>
  theirApp((stack) => ({ queueEncryptionKey: key(stack) }));
const theKey = { "Fn::GetAtt": [expect.stringMatching(/^Key/), "Arn"] };

/** The statements of the key policy beside CDK's own for the account. */
function keyStatements(theirs: Theirs): Statement[] {
  const [{ KeyPolicy } = {}] = Object.values(resourcesOf(theirs, "AWS::KMS::Key"));
  const { Statement } = KeyPolicy as { Statement: Statement[] };
  return Statement.filter(({ Principal }) => !JSON.stringify(Principal).includes(":root"));
}

/** The statements on KMS of the two roles: the first function's, the second one's. */
function roleStatements(theirs: Theirs): RoleStatement[][] {
  const roles = Object.entries(resourcesOf(theirs, "AWS::IAM::Policy"));
  return [false, true].map((isCollector) =>
    roles
      .filter(([id]) => isOfCollector(id) === isCollector)
      .flatMap(
        ([, { PolicyDocument }]) => (PolicyDocument as { Statement: RoleStatement[] }).Statement,
      )
      .filter((one) =>
        actionsOf(one).some((action) => /^kms:(Decrypt|GenerateDataKey)/.test(action)),
      ),
  );
}

describe("a key of the app for the log groups", () => {
  test("encrypts both log groups, and no queue", () => {
    const theirs = onLogs(aKey);
    const groups = Object.values(resourcesOf(theirs, "AWS::Logs::LogGroup"));
    expect(groups.map(({ KmsKeyId }) => KmsKeyId)).toEqual([theKey, theKey]);
    const queues = Object.values(resourcesOf(theirs, "AWS::SQS::Queue"));
    expect(queues.map((one) => one["SqsManagedSseEnabled"])).toEqual([true, true]);
  });

  test("allows CloudWatch Logs of the Region to use it, for log groups of the account and the Region only", () => {
    const [statement, ...others] = keyStatements(onLogs(aKey));
    expect(others).toEqual([]);
    expect(statement).toMatchObject({
      Effect: "Allow",
      Action: [
        "kms:Decrypt*",
        "kms:Describe*",
        "kms:Encrypt*",
        "kms:GenerateDataKey*",
        "kms:ReEncrypt*",
      ],
      Resource: "*",
    });
    expect(JSON.stringify(statement?.Principal)).toBe(
      '{"Service":{"Fn::Join":["",["logs.",{"Ref":"AWS::Region"},".",{"Ref":"AWS::URLSuffix"}]]}}',
    );
    expect(JSON.stringify(statement?.Condition)).toMatch(
      /^\{"ArnLike":\{"kms:EncryptionContext:aws:logs:arn":.*":logs:".*":log-group:\*"/,
    );
  });

  test("gives no role a right on it", () => {
    expect(roleStatements(onLogs(aKey))).toEqual([[], []]);
  });
});

describe("a key of the app for the queues", () => {
  test("encrypts both queues, and no log group", () => {
    const theirs = onQueues(aKey);
    for (const queue of Object.values(resourcesOf(theirs, "AWS::SQS::Queue"))) {
      expect(queue).toMatchObject({ KmsMasterKeyId: theKey });
      expect(queue).not.toHaveProperty("SqsManagedSseEnabled");
    }
    const groups = Object.values(resourcesOf(theirs, "AWS::Logs::LogGroup"));
    expect(groups.map((one) => one["KmsKeyId"])).toEqual([undefined, undefined]);
  });

  test("allows EventBridge to send to them, for rules of the account only", () => {
    expect(keyStatements(onQueues(aKey))).toEqual([
      {
        Sid: "EventBridgeSends",
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: ["kms:Decrypt", "kms:GenerateDataKey"],
        Resource: "*",
        Condition: { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } },
      },
    ]);
  });

  test("may be used by the first function to send, and by the second one to receive: through SQS, and no other key", () => {
    const viaSqs = (statement: RoleStatement | undefined): string =>
      JSON.stringify(statement?.Condition);
    for (const key of [aKey, imported]) {
      const [ofFirst = [], ofSecond = []] = roleStatements(onQueues(key));
      expect([ofFirst.length, ofSecond.length]).toEqual([1, 1]);
      expect(ofFirst[0]?.Action).toEqual(["kms:Decrypt", "kms:GenerateDataKey"]);
      expect(ofSecond[0]?.Action).toBe("kms:Decrypt");
      for (const [statement] of [ofFirst, ofSecond]) {
        expect(statement?.Resource).toEqual(key === aKey ? theKey : keyArn);
        expect(viaSqs(statement)).toBe(
          '{"StringEquals":{"kms:ViaService":{"Fn::Join":["",["sqs.",{"Ref":"AWS::Region"},".",{"Ref":"AWS::URLSuffix"}]]}}}',
        );
      }
    }
  });

  test("leaves the policies of the queues as they are: each sender is a rule of the deployment", () => {
    const policiesOf = (theirs: Theirs): unknown => resourcesOf(theirs, "AWS::SQS::QueuePolicy");
    expect(policiesOf(onQueues(aKey))).toEqual(policiesOf(theirApp()));
  });

  test("works without the second function, too", () => {
    const theirs = theirApp((stack) => ({ queueEncryptionKey: aKey(stack), watchRefusals: false }));
    expect(Object.keys(resourcesOf(theirs, "AWS::SQS::Queue"))).toHaveLength(1);
    expect(keyStatements(theirs)).toHaveLength(1);
  });
});

describe("a key that the app does not own", () => {
  test("keeps its key policy, and synthesis warns what it must allow, with the construct path", () => {
    const theirs = theirApp((stack) => {
      const key = imported(stack);
      return { logEncryptionKey: key, queueEncryptionKey: key };
    });
    const messages = messagesOf(theirs);
    expect(messages.map(({ level, path }) => `${level} ${path}`)).toEqual([
      "warning /Theirs/KeyRotation",
      "warning /Theirs/KeyRotation",
    ]);
    const texts = messages.map(({ text }) => text);
    expect(texts).toEqual([
      expect.stringMatching(
        /logEncryptionKey: the app cannot change the key policy of Theirs\/Key, which must allow CloudWatch Logs kms:Decrypt\*, kms:Describe\*/,
      ),
      expect.stringMatching(
        /queueEncryptionKey: the app cannot change the key policy of Theirs\/Key, which must allow EventBridge kms:Decrypt, kms:GenerateDataKey/,
      ),
    ]);
    expect(texts.join()).not.toContain("Token[");
    expect(Object.keys(resourcesOf(theirs, "AWS::KMS::Key"))).toEqual([]);
  });
});

test("no message comes of a key of the app", () => {
  const theirs = theirApp((stack) => {
    const key = aKey(stack);
    return { logEncryptionKey: key, queueEncryptionKey: key };
  });
  expect([...messagesOf(theirs), errorOf(theirs)]).toEqual([""]);
});

describe("synthesis refuses", () => {
  const managedBy = (manage: (stack: Stack, alias: kms.IAlias) => void): Theirs =>
    theirApp((stack) => {
      const key = aKey(stack);
      const alias = new kms.Alias(stack, "Alias", { aliasName: "alias/orders", targetKey: key });
      manage(stack, alias);
      return { logEncryptionKey: key, queueEncryptionKey: key };
    });

  test("the key of an alias that the same deployment manages", () => {
    let alias: kms.IAlias | undefined;
    const theirs = managedBy((_stack, one) => (alias = one));
    theirs.rotation.manage(alias as kms.IAlias, "quarterly");
    const error = errorOf(theirs);
    for (const name of ["logEncryptionKey", "queueEncryptionKey"]) {
      expect(error).toContain(
        `[Theirs/KeyRotation] ${name}: Theirs/Key is the key of alias/orders, which Theirs/KeyRotation manages: a retired version is disabled or deleted`,
      );
    }
  });

  test("the key of an alias that another deployment of the app manages", () => {
    const theirs = managedBy((stack, alias) => {
      new KeyRotation(stack, "Other", { policies, owner: "o" }).manage(alias, "quarterly");
    });
    expect(errorOf(theirs)).toContain("of alias/orders, which Theirs/Other manages");
  });

  test("a key that a tag enrols", () => {
    const theirs = onLogs((stack) => {
      const key = aKey(stack);
      Tags.of(key).add("keyturn:policy", "quarterly");
      return key;
    });
    expect(errorOf(theirs)).toContain(
      "[Theirs/KeyRotation] logEncryptionKey: Theirs/Key has the tag keyturn:policy, by which keyturn may manage it: a retired version is disabled or deleted",
    );
  });

  test("an alias, by which neither service nor IAM names a key", () => {
    const theirs = theirApp((stack) => {
      const alias = kms.Alias.fromAliasName(stack, "Alias", "alias/logs");
      return { logEncryptionKey: alias, queueEncryptionKey: alias };
    });
    const error = errorOf(theirs);
    for (const name of ["logEncryptionKey", "queueEncryptionKey"]) {
      expect(error).toContain(
        `[Theirs/KeyRotation] ${name}: Theirs/Alias is an alias, expected a key`,
      );
    }
  });

  test("not a key of which no alias is managed", () => {
    expect(errorOf(managedBy(() => undefined))).toBe("");
  });
});

test("no checker is given a reason for the missing key where there is one", () => {
  const reasons = (theirs: Theirs): string[] => {
    const text = JSON.stringify(Template.fromStack(theirs.stack).toJSON());
    return ["CKV_AWS_27", "CKV_AWS_158"].filter((rule) => text.includes(rule));
  };
  expect(reasons(theirApp())).toEqual(["CKV_AWS_27", "CKV_AWS_158"]);
  expect(reasons(onLogs(aKey))).toEqual(["CKV_AWS_27"]);
  expect(reasons(onQueues(aKey))).toEqual(["CKV_AWS_158"]);
});
