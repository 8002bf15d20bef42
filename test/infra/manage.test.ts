import { Duration, Stack, Tags } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import * as kms from "aws-cdk-lib/aws-kms";
import { describe, expect, test } from "vitest";
import { KeyRotation } from "../../infra/key-rotation.ts";
import type { KeyRotationProps } from "../../infra/key-rotation-props.ts";
import { createApp } from "./app.ts";

type Build = (rotation: KeyRotation, stack: Stack) => void;

function aStack(build: Build, props: Partial<KeyRotationProps> = {}): Stack {
  const stack = new Stack(createApp(), "Theirs");
  const policies = { quarterly: { cryptoperiod: Duration.days(90) } };
  build(new KeyRotation(stack, "KeyRotation", { policies, ...props }), stack);
  return stack;
}

/** The error of synthesis; empty without one. */
function errorOf(build: Build, props: Partial<KeyRotationProps> = {}): string {
  try {
    Template.fromStack(aStack(build, props));
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

function aKey(stack: Stack, props: kms.KeyProps = {}): kms.Key {
  return new kms.Key(stack, "Signing", {
    keySpec: kms.KeySpec.ECC_NIST_P256,
    keyUsage: kms.KeyUsage.SIGN_VERIFY,
    ...props,
  });
}

function anAlias(stack: Stack, props: kms.KeyProps = {}): kms.Alias {
  return new kms.Alias(stack, "Alias", {
    aliasName: "alias/signing",
    targetKey: aKey(stack, props),
  });
}

const manageOne: Build = (rotation, stack) => rotation.manage(anAlias(stack), "quarterly");

describe("a managed key in a user's own stack", () => {
  test("is retained with its alias when the stack is deleted, and has keyturn's owner tag", () => {
    const stack = aStack(manageOne);
    const template = Template.fromStack(stack);
    const retained = { DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" };
    template.hasResource("AWS::KMS::Alias", retained);
    template.hasResource("AWS::KMS::Key", {
      ...retained,
      Properties: { Tags: [{ Key: "keyturn:owner", Value: ownerOf(stack) }] },
    });
  });

  test("lets the function move its alias, and no other", () => {
    const template = JSON.stringify(Template.fromStack(aStack(manageOne)).toJSON());
    expect(template).toContain(":alias/signing");
    expect(template).not.toContain(":alias/*");
  });

  test("may be external, named by a string: then only its name is used", () => {
    const template = Template.fromStack(
      aStack((rotation) =>
        rotation.manage("alias/orders", "quarterly", { aliases: ["alias/old"] }),
      ),
    );
    const text = JSON.stringify(template.toJSON());
    expect(text).toContain(":alias/orders");
    expect(text).toContain(":alias/old");
    template.resourceCountIs("AWS::KMS::Key", 0);
  });
});

function ownerOf(stack: Stack): string {
  return (stack.node.findChild("KeyRotation") as KeyRotation).owner;
}

describe("without an owner of its own, a deployment", () => {
  test("has a stable one that differs from other deployments", () => {
    const owners = ["A", "B", "A"].map((id) => {
      const stack = new Stack(createApp(), "Theirs");
      return new KeyRotation(stack, id, { policies: {} }).owner;
    });
    expect(owners[0]).not.toBe(owners[1]);
    expect(owners[0]).toBe(owners[2]);
  });
});

const policyOf = (policy: KeyRotationProps["policies"][string]) => ({
  policies: { quarterly: policy },
});

describe("synthesis fails with the construct path and the value", () => {
  const cases: [what: string, expected: string, build: Build, props?: Partial<KeyRotationProps>][] =
    [
      [
        "where a deletion window is too short",
        "policies.quarterly.deletionWindow: got 6, expected a whole number of days from 7 to 30",
        manageOne,
        policyOf({ retire: "delete", deletionWindow: Duration.days(6) }),
      ],
      [
        "where a deletion window is too long",
        "policies.quarterly.deletionWindow: got 31",
        manageOne,
        policyOf({ deletionWindow: Duration.days(31) }),
      ],
      [
        "where a deletion window has a fraction of a day",
        "policies.quarterly.deletionWindow: got 7.5",
        manageOne,
        policyOf({ deletionWindow: Duration.hours(180) }),
      ],
      [
        "where a cryptoperiod leaves no time to drain",
        'policies.quarterly.cryptoperiod: got "14d", expected at least',
        manageOne,
        policyOf({ cryptoperiod: Duration.days(14), lead: Duration.days(1) }),
      ],
      [
        "where a duration has a fraction of a minute",
        'policies.quarterly.soak: got "90s", expected a duration',
        manageOne,
        policyOf({ soak: Duration.seconds(90) }),
      ],
      [
        "where no policy has the name",
        'manage()[0].policy: got "yearly", expected a defined policy (quarterly)',
        (rotation, stack) => rotation.manage(anAlias(stack), "yearly"),
      ],
      [
        "where the key has imported material",
        "Theirs/Signing/Resource has imported key material",
        (rotation, stack) => {
          const alias = anAlias(stack);
          (alias.aliasTargetKey.node.defaultChild as kms.CfnKey).origin = "EXTERNAL";
          rotation.manage(alias, "quarterly");
        },
      ],
      [
        "where the alias is imported",
        "Theirs/Alias is not a resource of this app",
        (rotation, stack) =>
          rotation.manage(kms.Alias.fromAliasName(stack, "Alias", "alias/orders"), "quarterly"),
      ],
      [
        "where the key of the alias is imported",
        "the key of Theirs/Alias is not a resource of this app",
        (rotation, stack) => {
          const arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
          const targetKey = kms.Key.fromKeyArn(stack, "Key", arn);
          const alias = new kms.Alias(stack, "Alias", { aliasName: "alias/orders", targetKey });
          rotation.manage(alias, "quarterly");
        },
      ],
      [
        "where AWS manages the key",
        'manage()[0].alias: got "alias/aws/s3"',
        (rotation) => rotation.manage("alias/aws/s3", "quarterly"),
      ],
      [
        "where an alias is managed twice",
        'manage()[1].alias: got "alias/orders", expected an alias named only once',
        (rotation) => {
          rotation.manage("alias/orders", "quarterly");
          rotation.manage("alias/orders", "quarterly");
        },
      ],
      [
        "where a key is managed twice, by two aliases",
        "Theirs/Alias and Theirs/Other point at the same key",
        (rotation, stack) => {
          const first = anAlias(stack);
          const second = new kms.Alias(stack, "Other", {
            aliasName: "alias/other",
            targetKey: first.aliasTargetKey,
          });
          rotation.manage(first, "quarterly");
          rotation.manage(second, "quarterly");
        },
      ],
      [
        "where the policy in a key's tag deletes",
        "Theirs/Signing/Resource has the tag keyturn:policy=quarterly: this policy deletes keys",
        (_rotation, stack) => Tags.of(aKey(stack)).add("keyturn:policy", "quarterly"),
        policyOf({ retire: "delete" }),
      ],
      [
        "where the share of the quotas is zero",
        "quotaShare: expected a number from 0.01 to 1, got 0",
        manageOne,
        { quotaShare: 0 },
      ],
      [
        "where a pattern of tagged aliases is malformed",
        'taggedAliases[0]: got "team-*", expected a pattern of alias names',
        manageOne,
        { taggedAliases: ["team-*"] },
      ],
      [
        "where the interval is two days",
        "interval: expected one day at most, got 2 days",
        manageOne,
        { interval: Duration.days(2) },
      ],
      ["where the owner cannot be a tag", 'owner: got "aws:me"', manageOne, { owner: "aws:me" }],
    ];
  test.each(cases)("%s", (_what, expected, build, props) => {
    const error = errorOf(build, props);
    expect(error).toContain("[Theirs/KeyRotation]");
    expect(error).toContain(expected);
  });

  test("and succeeds without a problem", () => {
    expect(errorOf(manageOne)).toBe("");
  });
});
