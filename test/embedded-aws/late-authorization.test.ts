/** Authorization by alias and by tag, before and after a change reaches it. */
import { describe, expect, test } from "vitest";
import type { AuthorizedBy, KmsKey } from "../../embedded-aws/kms/types.ts";
import { arnOf, outcomeOf, policyOf } from "./harness.ts";
import { aTrail, keyArnOf, message, type Trail } from "./refusals.ts";

const lateMs = 5 * 60_000;

/** Identity policies of applications; the keys have the default policy. */
const conditions = {
  "by-alias": { "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/orders" } },
  "by-tag": { StringEquals: { "aws:ResourceTag/app": "orders" } },
};
const callers = ["by-alias", "by-tag"] as const;

function anAccount() {
  const trail = aTrail();
  for (const user of callers) {
    const [Effect, Action, Resource] = ["Allow", ["kms:Encrypt", "kms:Decrypt"], "*"];
    const document = policyOf({ Effect, Action, Resource, Condition: conditions[user] });
    trail.twin.world.identityPolicies.attach(arnOf(user), [document]);
  }
  const first = trail.behind("alias/orders");
  const Tags = [{ TagKey: "app", TagValue: "orders" }];
  trail.call("TagResource", { KeyId: first, Tags });
  const CiphertextBlob = trail.cipherUnder(first);
  /** Alias and tag go to a new key. */
  const move = (): string => {
    const second = trail.behind("alias/orders");
    trail.call("TagResource", { KeyId: second, Tags });
    trail.call("UntagResource", { KeyId: first, TagKeys: ["app"] });
    return second;
  };
  return { ...trail, first, CiphertextBlob, move };
}

type Account = ReturnType<typeof anAccount>;

/** Outcomes of both callers: Decrypt of old data, and Encrypt by the alias. */
async function outcomes(account: Account) {
  const { call, CiphertextBlob } = account;
  const encrypt = { KeyId: "alias/orders", Plaintext: message };
  const found: Record<string, [old: string, alias: string]> = {};
  for (const user of callers) {
    const old = await outcomeOf(() => call("Decrypt", { CiphertextBlob }, user));
    found[user] = [old, await outcomeOf(() => call("Encrypt", encrypt, user))];
  }
  return found;
}

const both = (old: string, alias: string) => ({ "by-alias": [old, alias], "by-tag": [old, alias] });

/** Authorization keeps the state of its last observation until `until`. */
function late({ twin, clock }: Trail): AuthorizedBy {
  const known = new Map(
    [...twin.world.keys.values()].map(({ keyId, aliasNames, tags }) => [
      keyId,
      { aliasNames: [...aliasNames], tags: [...tags] },
    ]),
  );
  const untilMs = clock.nowMs() + lateMs;
  const nothing = { aliasNames: [], tags: [] };
  return (key: KmsKey) => (clock.nowMs() >= untilMs ? key : (known.get(key.keyId) ?? nothing));
}

describe("without the hook", () => {
  test("a change of alias and tag counts at once, and the refused use names the old key", async () => {
    const account = anAccount();
    expect(await outcomes(account)).toEqual(both("ok", "ok"));
    expect(account.refused).toEqual([]);
    account.move();
    expect(await outcomes(account)).toEqual(both("AccessDeniedException", "ok"));
    const denied = account.refused.map(({ detail }) => detail);
    for (const { eventName, errorMessage } of denied) {
      expect(eventName).toBe("Decrypt");
      expect(errorMessage).toContain(`kms:Decrypt on resource: ${keyArnOf(account.first)} because`);
    }
    expect(denied.map(({ userIdentity }) => userIdentity.arn)).toEqual(callers.map(arnOf));
  });
});

describe("with a hook that is five minutes late", () => {
  test("the old key admits its callers, and the new one refuses them, until the change arrives", async () => {
    const account = anAccount();
    account.twin.world.authorizedBy = late(account);
    const second = account.move();
    expect(await outcomes(account)).toEqual(both("ok", "AccessDeniedException"));
    account.clock.advance(lateMs - 1);
    expect(await outcomes(account)).toEqual(both("ok", "AccessDeniedException"));
    const denied = account.refused.map(({ detail }) => detail.errorMessage);
    expect(denied).toHaveLength(4);
    for (const text of denied)
      expect(text).toContain(`kms:Encrypt on resource: ${keyArnOf(second)}`);
    account.clock.advance(1);
    expect(await outcomes(account)).toEqual(both("AccessDeniedException", "ok"));
  });

  test("each caller may be late by a time of its own", async () => {
    const account = anAccount();
    const before = late(account);
    account.twin.world.authorizedBy = (key, caller) =>
      caller.principalArn === arnOf("by-tag") ? before(key, caller) : key;
    account.move();
    expect(await outcomes(account)).toEqual({
      "by-alias": ["AccessDeniedException", "ok"],
      "by-tag": ["ok", "AccessDeniedException"],
    });
  });

  test("only authorization is late: the alias itself and the tags that KMS lists are not", () => {
    const account = anAccount();
    account.twin.world.authorizedBy = late(account);
    const second = account.move();
    const described = account.call("DescribeKey", { KeyId: "alias/orders" });
    expect(described).toMatchObject({ KeyMetadata: { KeyId: second } });
    expect(account.call("ListResourceTags", { KeyId: account.first })).toMatchObject({ Tags: [] });
  });
});
