import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { account, arnOf, bytes, everything, openLab, outcomeOf, policyOf } from "./harness.ts";
import type { Lab } from "./harness.ts";
import { aTrail, hmac, keyArnOf, macOf, message, uses, type Trail } from "./refusals.ts";

const who = `User: ${arnOf("stranger")} is not authorized to perform`;
const denial = (action: string, id: string): string =>
  `${who}: kms:${action} on resource: ${keyArnOf(id)} ` +
  `because no identity-based policy allows the kms:${action} action`;

const messagesOf = ({ refused }: Trail) => refused.map(({ detail }) => detail.errorMessage);

describe("a denied use", () => {
  test.each(uses)(
    "of %s is in CloudTrail, with the key in the message alone",
    (operation, shape, rest) => {
      const trail = aTrail();
      const KeyId = trail.keyId(shape);
      const call = () => trail.call(operation, { KeyId, ...rest, DryRun: true }, "stranger");
      expect(call).toThrow(denial(operation, KeyId));
      expect(trail.refused).toHaveLength(1);
      const [{ detail } = { detail: undefined }] = trail.refused;
      expect(detail).toMatchObject({
        eventName: operation,
        errorCode: "AccessDenied",
        errorMessage: denial(operation, KeyId),
        requestParameters: null,
        readOnly: operation !== "CreateGrant",
        userIdentity: { arn: arnOf("stranger"), accountId: account },
        recipientAccountId: account,
      });
      expect(detail).not.toHaveProperty("resources");
    },
  );

  test.each(uses)(
    "of %s is denied before the key's state counts",
    async (operation, shape, rest) => {
      for (const change of ["DisableKey", "ScheduleKeyDeletion"]) {
        const trail = aTrail();
        const KeyId = trail.keyId(shape);
        trail.call(change, { KeyId });
        const call = () => trail.call(operation, { KeyId, ...rest }, "stranger");
        expect(await outcomeOf(call)).toBe("AccessDeniedException");
        expect(messagesOf(trail)).toEqual([denial(operation, KeyId)]);
        expect(trail.attempts).toEqual([]);
      }
    },
  );

  test("names the key that the alias points at", async () => {
    const trail = aTrail();
    const aliasArn = `arn:aws:kms:us-east-1:${account}:alias/orders`;
    const encrypt = (KeyId: string) =>
      outcomeOf(() => trail.call("Encrypt", { KeyId, Plaintext: message }, "stranger"));
    const first = trail.behind("alias/orders");
    await encrypt("alias/orders");
    const second = trail.behind("alias/orders");
    await encrypt(aliasArn);
    expect(messagesOf(trail)).toEqual([denial("Encrypt", first), denial("Encrypt", second)]);
  });

  test("of ReEncrypt names the action and its key, the source or the destination, disabled or not", async () => {
    const trail = aTrail();
    const [from, to] = [trail.behind("alias/from"), trail.behind("alias/to")];
    const CiphertextBlob = trail.cipherUnder(from);
    const input = { CiphertextBlob, SourceKeyId: "alias/from", DestinationKeyId: "alias/to" };
    const reEncrypt = () => outcomeOf(() => trail.call("ReEncrypt", input, "stranger"));
    for (const KeyId of [from, to]) trail.call("DisableKey", { KeyId });
    expect(await reEncrypt()).toBe("AccessDeniedException");
    trail.call("EnableKey", { KeyId: from });
    const readsSource = { Effect: "Allow", Action: "kms:ReEncryptFrom", Resource: keyArnOf(from) };
    trail.twin.world.identityPolicies.attach(arnOf("stranger"), [policyOf(readsSource)]);
    expect(await reEncrypt()).toBe("AccessDeniedException");
    expect(messagesOf(trail)).toEqual([denial("ReEncryptFrom", from), denial("ReEncryptTo", to)]);
    expect(trail.refused.map(({ detail }) => detail.eventName)).toEqual(["ReEncrypt", "ReEncrypt"]);
  });

  test("gives the type of the policy that denies it", async () => {
    const trail = aTrail();
    const [Effect, Action, Resource] = ["Deny", "kms:GenerateMac", "*"];
    const deny = { Effect, Action, Resource };
    const own = { ...everything, Principal: { AWS: arnOf("tester") } };
    const stranger = { AWS: arnOf("stranger") };
    for (const Policy of [policyOf(own), policyOf(everything, { ...deny, Principal: stranger })]) {
      const KeyId = trail.keyId({ ...hmac, Policy });
      await outcomeOf(() => trail.call("GenerateMac", { KeyId, ...macOf }, "stranger"));
    }
    trail.twin.world.identityPolicies.attach(arnOf("stranger"), [policyOf(deny)]);
    const KeyId = trail.keyId(hmac);
    await outcomeOf(() => trail.call("GenerateMac", { KeyId, ...macOf }, "stranger"));
    expect(messagesOf(trail).map((text) => text?.replace(/.*key\/\S+ /, ""))).toEqual([
      "because no resource-based policy allows the kms:GenerateMac action",
      "with an explicit deny in a resource-based policy",
      "with an explicit deny in an identity-based policy",
    ]);
  });

  test("of a deleted key's ciphertext names no key", async () => {
    const trail = aTrail();
    const KeyId = trail.keyId();
    const CiphertextBlob = trail.cipherUnder(KeyId);
    trail.call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    trail.clock.advance(8 * 86_400_000);
    await outcomeOf(() => trail.call("Decrypt", { CiphertextBlob }));
    expect(messagesOf(trail)).toEqual([expect.stringContaining("does not exist in this region")]);
    expect(messagesOf(trail)[0]).not.toContain(KeyId);
  });
});

describe("no event reports", () => {
  test("a denied caller of another account: AWS logs it in that account", async () => {
    const trail = aTrail();
    const KeyId = trail.behind("alias/orders", hmac);
    for (const identifier of [KeyId, "alias/orders"]) {
      const principalArn = "arn:aws:iam::999988887777:role/Partner";
      const input = { KeyId: identifier, ...macOf };
      const call = () => trail.twin.call("GenerateMac", input, { principalArn });
      expect(await outcomeOf(call)).toBe("AccessDeniedException");
    }
    expect(trail.refused).toEqual([]);
  });

  test("a denied management call, a successful use, or a use that fails for another reason", async () => {
    const trail = aTrail();
    const [KeyId, other] = [trail.keyId(), trail.keyId(hmac)];
    const encrypt = (id: string) =>
      outcomeOf(() => trail.call("Encrypt", { KeyId: id, Plaintext: message }));
    const outcomes = [
      await outcomeOf(() => trail.call("DescribeKey", { KeyId }, "stranger")),
      await outcomeOf(() => trail.call("DisableKey", { KeyId }, "stranger")),
      await encrypt(KeyId),
      await encrypt(other),
      await encrypt("alias/none"),
      await encrypt(""),
    ];
    trail.call("DisableKey", { KeyId });
    outcomes.push(await encrypt(KeyId));
    expect(outcomes).toEqual([
      "AccessDeniedException",
      "AccessDeniedException",
      "ok",
      "InvalidKeyUsageException",
      "NotFoundException",
      "ValidationException",
      "DisabledException",
    ]);
    expect(trail.refused).toEqual([]);
    expect(trail.attempts).toHaveLength(1);
  });
});

test("an event has its own ids, and does not change the twin's other ids", async () => {
  const history = async (isHeard: boolean) => {
    const trail = aTrail();
    if (!isHeard) trail.twin.onRefusedUse = undefined;
    const KeyId = trail.keyId(hmac);
    for (let i = 0; i < 3; i++)
      await outcomeOf(() => trail.call("GenerateMac", { KeyId, ...macOf }, "stranger"));
    const ids = trail.refused.flatMap(({ id, detail }) => [id, detail.eventID]);
    return { ids, next: trail.keyId() };
  };
  const [reported, unreported] = [await history(true), await history(false)];
  expect(new Set(reported.ids).size).toBe(6);
  expect(await history(true)).toEqual(reported);
  expect(unreported).toEqual({ ids: [], next: reported.next });
});

describe("the embedded AWS", () => {
  let lab: Lab;

  beforeAll(async () => void (lab = await openLab()));

  afterAll(() => lab.close());

  test("lists the refused uses, apart from the use attempts", async () => {
    lab.aws.kms.world.identityPolicies.attach(arnOf("stranger"), []);
    const { KeyId } = await lab.aKey();
    const encrypt = { KeyId, Plaintext: bytes("secret") };
    expect(await outcomeOf(lab.kmsAs("stranger").encrypt(encrypt))).toBe("AccessDeniedException");
    await lab.kms.disableKey({ KeyId });
    expect(await outcomeOf(lab.kms.encrypt(encrypt))).toBe("DisabledException");
    const response = await fetch(`${lab.aws.endpoint}/_keyturn/refused-uses`);
    expect(await response.json()).toEqual(lab.aws.refusedUses);
    const messages = lab.aws.refusedUses.map(({ detail }) => detail.errorMessage);
    expect(messages).toEqual([denial("Encrypt", KeyId)]);
    expect(lab.aws.useAttempts).toHaveLength(1);
  });
});
