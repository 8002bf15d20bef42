/** Key policies that leave keyturn's role out, whatever its name is and whatever IAM allows it. */
import { describe, expect, test } from "vitest";
import { lockedOutOf } from "../../lambda/workflow/enrolment/lock-out.ts";

const own = "111122223333";
const other = "444455556666";
const partitions = ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-eusc"];

const all = { Effect: "Allow", Action: "kms:*", Resource: "*" };
const reads = ["kms:Describe*", "kms:Get*", "kms:List*", "kms:TagResource"];

function lockedOut(statements: object[], partition = "aws"): string | undefined {
  const document = JSON.stringify({ Version: "2012-10-17", Statement: statements }, null, 1);
  return lockedOutOf(document, `arn:${partition}:kms:eu-central-1:${own}:key/k`);
}

const iam = (resource: string, account = own, partition = "aws"): string =>
  `arn:${partition}:iam::${account}:${resource}`;
const root = { AWS: iam("root") };
const delegate = { ...all, Principal: root };

describe("a key policy may admit keyturn's role", () => {
  test.each(partitions)("in the partition %s", (partition) => {
    const session = `arn:${partition}:sts::${own}:assumed-role/keyturn/1`;
    const names = [
      iam("root", own, partition),
      own,
      iam("role/keyturn", own, partition),
      iam("role/user/keyturn", own, partition),
      session,
      "*",
    ];
    for (const name of names) {
      for (const AWS of [name, [iam("user/ada", own, partition), name]]) {
        expect(lockedOut([{ ...all, Principal: { AWS } }], partition), name).toBeUndefined();
      }
    }
  });

  test.each<[how: string, statement: object]>([
    ["as everybody", { Principal: "*" }],
    [
      "as one that is not excepted",
      { Principal: undefined, NotPrincipal: { AWS: iam("user/ada") } },
    ],
    [
      "by a list of actions",
      { Action: ["kms:put*", "KMS:Update?lias", "kms:Enable*", "kms:Cancel*", ...reads] },
    ],
    ["by all actions of AWS", { Action: "*" }],
    ["by all other actions", { Action: undefined, NotAction: ["kms:Decrypt", "kms:Schedule*"] }],
    ["on keys of the account", { Resource: `arn:aws:kms:*:${own}:key/*` }],
    ["on all other keys", { Resource: undefined, NotResource: "arn:aws:kms:*:*:key/a" }],
    ["under a condition", { Condition: { ArnLike: { "aws:PrincipalArn": iam("role/admin*") } } }],
  ])("%s", (_, statement) => {
    expect(lockedOut([{ ...delegate, ...statement }])).toBeUndefined();
  });

  test("by two statements together", () => {
    const some = { ...delegate, Action: reads };
    const rest = {
      ...delegate,
      Principal: { AWS: iam("role/x") },
      NotAction: reads,
      Action: undefined,
    };
    expect(lockedOut([some, rest])).toBeUndefined();
    expect(lockedOut([some])).toBe("PutKeyPolicy");
  });

  test.each<[what: string, deny: object]>([
    [
      "something else",
      { Principal: "*", Action: ["kms:Decrypt", "kms:ScheduleKeyDeletion", "kms:DisableKey"] },
    ],
    ["all but some actions", { Principal: "*", Action: undefined, NotAction: ["kms:*"] }],
    [
      "under a condition",
      { Principal: "*", Condition: { Null: { "aws:MultiFactorAuthAge": "true" } } },
    ],
    ["for a user", { Principal: { AWS: iam("user/ada") } }],
    ["for a role, which may be another one", { Principal: { AWS: iam("role/keyturn") } }],
    ["for another account", { Principal: { AWS: iam("root", other) } }],
    ["for a service", { Principal: { Service: "s3.amazonaws.com" } }],
    ["for all but a role", { NotPrincipal: { AWS: [iam("user/ada"), iam("role/keyturn")] } }],
    ["for all but the account", { NotPrincipal: root }],
    ["on other keys", { Principal: "*", Resource: `arn:aws:kms:us-east-1:${own}:key/a` }],
    ["without a resource, and so without effect", { Principal: "*", Resource: undefined }],
    ["without an action, and so without effect", { Principal: "*", Action: undefined }],
  ])("where a Deny takes %s", (_, deny) => {
    expect(lockedOut([delegate, { ...all, Effect: "Deny", ...deny }])).toBeUndefined();
  });
});

describe("a key policy leaves keyturn's role out", () => {
  test.each(partitions)("where it admits only others, in the partition %s", (partition) => {
    const session = `arn:${partition}:sts::${own}:federated-user/ada`;
    const principals = [
      { AWS: iam("user/ada", own, partition) },
      { AWS: [iam("user/admins/ada", own, partition), session] },
      { AWS: [other, iam("root", other, partition), iam(`role/${own}`, other, partition)] },
      { Service: "s3.amazonaws.com" },
      { Federated: "cognito-identity.amazonaws.com" },
      { AWS: "AROAEXAMPLEEXAMPLE123" },
    ];
    for (const Principal of principals) {
      const found = lockedOut([{ ...all, Principal }], partition);
      expect(found, JSON.stringify(Principal)).toBe("PutKeyPolicy");
    }
  });

  test.each<[why: string, statements: object[], operation: string]>([
    ["no statement", [], "PutKeyPolicy"],
    [
      "only the use of the key",
      [{ ...delegate, Action: ["kms:Encrypt", "kms:Decrypt"] }],
      "PutKeyPolicy",
    ],
    ["only reads", [{ ...delegate, Action: reads }], "PutKeyPolicy"],
    [
      "all but the key policy",
      [{ ...delegate, Action: undefined, NotAction: "kms:Put*" }],
      "PutKeyPolicy",
    ],
    [
      "all but restores",
      [{ ...delegate, Action: ["kms:Put*", "kms:Update*", "kms:Disable*", ...reads] }],
      "EnableKey",
    ],
    ["nothing, without a resource", [{ ...delegate, Resource: undefined }], "PutKeyPolicy"],
    ["nothing, without an action", [{ ...delegate, Action: undefined }], "PutKeyPolicy"],
  ])("where it admits the account to %s", (_, statements, operation) => {
    const admin = { ...all, Principal: { AWS: iam("user/ada") } };
    expect(lockedOut([...statements, admin])).toBe(operation);
  });

  test.each<[whom: string, deny: object]>([
    ["everybody", { Principal: "*" }],
    ["everybody in the longer spelling", { Principal: { AWS: ["*"] } }],
    ["the account", { Principal: root }],
    ["the account by its number", { Principal: { AWS: [other, own] } }],
    ["all but a user", { NotPrincipal: { AWS: iam("user/ada") } }],
    ["all but another account", { NotPrincipal: { AWS: [other, iam("root", other)] } }],
    ["all but a service", { NotPrincipal: { Service: "s3.amazonaws.com" } }],
    ["everybody, with an empty condition", { Principal: "*", Condition: {} }],
  ])("where it denies %s", (_, deny) => {
    const actions: [object, string][] = [
      [{ Action: "kms:*" }, "PutKeyPolicy"],
      [{ Action: ["kms:Decrypt", "kms:PUTKEYPOLICY"] }, "PutKeyPolicy"],
      [{ Action: "kms:UpdateAl?as" }, "UpdateAlias"],
      [{ Action: undefined, NotAction: ["kms:Get*", "kms:Put*", "kms:U*", "kms:T*"] }, "EnableKey"],
    ];
    for (const [action, operation] of actions) {
      const denied = { ...all, ...deny, ...action, Effect: "Deny" };
      expect(lockedOut([delegate, denied]), JSON.stringify(action)).toBe(operation);
    }
  });
});

test("a key policy without statements, as emulators may return it, is not judged", () => {
  expect(lockedOut([])).toBeUndefined();
});

test("a key policy with characters that a regular expression gives a meaning is judged", () => {
  for (const Action of ["kms:(", "kms:[a", "kms:Put.*", "kms:\\"]) {
    expect(lockedOut([{ ...delegate, Action }])).toBe("PutKeyPolicy");
    expect(lockedOut([delegate, { ...delegate, Action }])).toBeUndefined();
  }
});
