/** The rules of the template, on the CloudTrail events of the embedded KMS. */
import { Template } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import { KeyRotationStack } from "../../infra/stack.ts";
import { canaryMark, refusalsMark } from "../../lambda/inbound/canary.ts";
import { denials, otherKeyErrors, readRefusedUse } from "../../lambda/inbound/refused-use.ts";
import { readUseAttempt, stateErrors } from "../../lambda/inbound/use-attempt.ts";
import { arnOf, bytes, outcomeOf, policyOf } from "../embedded-aws/harness.ts";
import {
  aTrail,
  hmac,
  keyArnOf,
  macOf,
  message,
  rsa,
  signatureOf,
  signing,
  uses,
  type Trail,
} from "../embedded-aws/refusals.ts";
import { createApp } from "./app.ts";
import { matches } from "./event-pattern.ts";

type Rule = {
  State: string;
  EventPattern: Record<string, unknown>;
  Targets: { Arn: { "Fn::GetAtt": string[] } }[];
};
type Found = Record<string, { Properties: Partial<Rule> }>;

let synthesised: [name: string, rule: Rule][] | undefined;

/** Those with a pattern, by the name in their logical ids. A stack of an earlier version keeps the first one. */
function rules(): [name: string, rule: Rule][] {
  if (synthesised !== undefined) return synthesised;
  const configuration = { owner: "acme", policies: { quarterly: {} } };
  const stack = new KeyRotationStack(createApp(), "Keyturn", { configuration });
  const found = Template.fromStack(stack).findResources("AWS::Events::Rule") as Found;
  expect(Object.keys(found)).toContain("KeyRotationUseAttempts7544DA84");
  synthesised = Object.entries(found).flatMap(([id, { Properties }]) => {
    if (Properties.EventPattern === undefined) return [];
    return [[/^KeyRotation(\D+?)(?:Rule)?[0-9A-F]{8}$/.exec(id)?.[1] ?? id, Properties as Rule]];
  });
  return synthesised;
}

function matching(event: unknown): string[] {
  const all = rules().filter(([, { EventPattern }]) => matches(EventPattern, event));
  return all.map(([name]) => name);
}

function canary(mark: string): object {
  const detail = {
    eventSource: "kms.amazonaws.com",
    eventName: "DescribeKey",
    eventTime: "2027-01-01T00:00:00Z",
    userAgent: `aws-sdk-js/3.1164.0 os/linux lang/js ${mark} md/nodejs`,
  };
  return { source: "aws.kms", "detail-type": "AWS API Call via CloudTrail", detail };
}

function changed(event: object, detail: object, outer: object = {}): unknown {
  const { detail: record } = event as { detail: object };
  return { ...event, ...outer, detail: { ...record, ...detail } };
}

const denied = async ([operation, shape, rest]: (typeof uses)[number], trail = aTrail()) => {
  const KeyId = trail.keyId(shape);
  await outcomeOf(() => trail.call(operation, { KeyId, ...rest }, "stranger"));
  return trail.refused.at(-1) ?? {};
};

describe("the rules", () => {
  test("receive all management events, and have a target each", () => {
    const [changes, ...watching] = rules().toSorted(([a], [b]) => (a < b ? -1 : 1));
    expect(changes?.[0]).toBe("KeyChanges");
    expect(watching.map(([name]) => name)).toEqual(["RefusedUses", "UseAttempts"]);
    for (const [, { State }] of watching) {
      expect(State).toBe("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS");
    }
    const targets = rules().map(([, { Targets }]) => Targets.map(({ Arn }) => Arn["Fn::GetAtt"]));
    expect(JSON.stringify(targets)).toMatch(/Function\w{8}",.*RefusedUsesQueue\w{8}",/);
  });

  test("each match the canary of their own mark alone", () => {
    expect(matching(canary(canaryMark))).toEqual(["UseAttempts"]);
    expect(matching(canary(refusalsMark))).toEqual(["RefusedUses"]);
    expect(matching(canary("none"))).toEqual([]);
    expect(matching(changed(canary(refusalsMark), { eventName: "ListKeys" }))).toEqual([]);
    expect(readUseAttempt(canary(canaryMark)).kind).toBe("canary");
    expect(readRefusedUse(canary(refusalsMark)).kind).toBe("canary");
  });

  test.each(uses)("match a %s on a key that is out of use", async (operation, shape, rest) => {
    const trail = aTrail();
    const KeyId = trail.keyId(shape);
    trail.call("ScheduleKeyDeletion", { KeyId });
    await outcomeOf(() => trail.call(operation, { KeyId, ...rest }));
    expect(trail.attempts.map(matching)).toEqual([["UseAttempts"]]);
  });

  test("match no use in a state that keyturn does not cause, and match any other message", async () => {
    const trail = aTrail();
    const KeyId = trail.keyId(hmac);
    for (const state of ["Unavailable", "Creating", "PendingImport"] as const) {
      trail.twin.forceState(KeyId, state);
      await outcomeOf(() => trail.call("GenerateMac", { KeyId, ...macOf }));
    }
    expect(trail.attempts).toHaveLength(3);
    expect(trail.attempts.map(matching)).toEqual([[], [], []]);
    const [event = {}] = trail.attempts;
    const messages = [undefined, null, "", "of another wording", `${KeyId} is pending deletion.`];
    for (const errorMessage of messages) {
      expect(matching(changed(event, { errorMessage }))).toEqual(["UseAttempts"]);
    }
  });

  test.each(uses)("match a %s that is denied", async (...use) => {
    expect(matching(await denied(use))).toEqual(["RefusedUses"]);
  });

  test("match what is denied under either name of the error", async () => {
    const event = await denied(["Decrypt", rsa, { CiphertextBlob: message }]);
    for (const errorCode of [...denials.keys(), ...otherKeyErrors]) {
      expect(matching(changed(event, { errorCode }))).toEqual(["RefusedUses"]);
    }
    for (const errorCode of stateErrors) {
      expect(matching(changed(event, { errorCode }))).toEqual(["UseAttempts"]);
    }
  });

  test("match no other event", async () => {
    const event = await denied(["Decrypt", rsa, { CiphertextBlob: message }]);
    const others = [
      changed(event, { errorCode: undefined }),
      changed(event, { errorCode: "ThrottlingException" }),
      changed(event, { eventName: "ListGrants" }),
      changed(event, { eventName: "DescribeKey" }),
      changed(event, { eventSource: "s3.amazonaws.com" }),
      changed(event, {}, { source: "acme" }),
      changed(event, {}, { "detail-type": "AWS Service Event via CloudTrail" }),
    ];
    expect(others.map(matching)).toEqual(others.map(() => []));
    expect(others.map((one) => readRefusedUse(one).kind)).toEqual(others.map(() => "ignored"));
  });
});

/** Calls that KMS refuses because of the key that made their input. */
const madeByAnotherKey: [name: string, (trail: Trail) => Promise<unknown>][] = [
  [
    "a Decrypt of another key's ciphertext",
    (trail) => {
      const CiphertextBlob = trail.cipherUnder(trail.behind("alias/a"));
      trail.behind("alias/a");
      return outcomeOf(() => trail.call("Decrypt", { KeyId: "alias/a", CiphertextBlob }));
    },
  ],
  [
    "a ReEncrypt to a key that is denied",
    (trail) => {
      const [SourceKeyId, DestinationKeyId] = [trail.keyId(), trail.keyId()];
      const CiphertextBlob = trail.cipherUnder(SourceKeyId);
      const from = {
        Effect: "Allow",
        Action: "kms:ReEncryptFrom",
        Resource: keyArnOf(SourceKeyId),
      };
      trail.twin.world.identityPolicies.attach(arnOf("stranger"), [policyOf(from)]);
      const input = { CiphertextBlob, SourceKeyId, DestinationKeyId };
      return outcomeOf(() => trail.call("ReEncrypt", input, "stranger"));
    },
  ],
  [
    "a VerifyMac",
    (trail) => {
      trail.behind("alias/a", hmac);
      const input = { KeyId: "alias/a", ...macOf, Mac: bytes("another mac") };
      return outcomeOf(() => trail.call("VerifyMac", input));
    },
  ],
  [
    "a Verify",
    (trail) => {
      trail.behind("alias/a", signing);
      const input = { KeyId: "alias/a", ...signatureOf, Signature: bytes("another signature") };
      return outcomeOf(() => trail.call("Verify", input));
    },
  ],
  [
    "a Decrypt of RSA",
    (trail) => {
      const EncryptionAlgorithm = "RSAES_OAEP_SHA_256";
      trail.behind("alias/a", rsa);
      const encrypt = { KeyId: "alias/a", Plaintext: message, EncryptionAlgorithm };
      const { CiphertextBlob } = trail.call<{ CiphertextBlob: Uint8Array }>("Encrypt", encrypt);
      trail.behind("alias/a", rsa);
      const input = { KeyId: "alias/a", CiphertextBlob, EncryptionAlgorithm };
      return outcomeOf(() => trail.call("Decrypt", input));
    },
  ],
];

test.each(madeByAnotherKey)("the rule for refused uses matches %s", async (_, refuse) => {
  const trail = aTrail();
  await refuse(trail);
  expect(trail.refused.map(matching)).toEqual([["RefusedUses"]]);
  expect(trail.refused.map((event) => readRefusedUse(event).kind)).toEqual(["refused"]);
});
