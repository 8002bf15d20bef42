import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readUseAttempt } from "../../lambda/inbound/use-attempt.ts";
import {
  account,
  arnOf,
  attemptIn,
  attemptsIn,
  decrypt,
  eventOf,
  first,
  keysIn,
  multiRegion,
  region,
  resourceOf,
  role,
  second,
} from "./cloudtrail.ts";

describe("an attempt", () => {
  test("has the principal, the operation, the key and the time", () => {
    expect(readUseAttempt(eventOf(), { accountId: account, region })).toEqual({
      kind: "attempt",
      attempts: [
        {
          eventId: decrypt.eventID,
          keyId: first,
          atMs: Date.UTC(2026, 10, 2, 3, 4, 5),
          operation: "Decrypt",
          principal: role.arn,
          encryptionContextKeys: ["invoice", "tenant"],
        },
      ],
    });
  });

  test("keeps no value of an encryption context: it may be personal data", () => {
    expect(JSON.stringify(readUseAttempt(eventOf()))).not.toMatch(/Miller|4711/);
  });

  test.each(["DisabledException", "Disabled", "KMSInvalidStateException", "KMSInvalidState"])(
    "fails with %s",
    (errorCode) => {
      expect(keysIn(eventOf({ errorCode }))).toEqual([first]);
    },
  );

  test.each([
    `${arnOf(first)} is pending deletion.`,
    `${arnOf(first)} is pending replica deletion.`,
    `${arnOf(first)} is disabled.`,
    "The state of the specified resource is not valid for this request.",
    "",
    undefined,
    null,
  ])("fails with KMSInvalidStateException and the message %o", (errorMessage) => {
    const errorCode = "KMSInvalidStateException";
    expect(keysIn(eventOf({ errorCode, errorMessage }))).toEqual([first]);
  });

  test.each([
    ["Decapsulate", "Decrypt", "DeriveSharedSecret", "Encapsulate", "Encrypt", "GenerateDataKey"],
    ["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateMac", "ReEncrypt"],
    ["GenerateDataKeyWithoutPlaintext", "Sign", "Verify", "VerifyMac"],
  ])("is %s, %s, %s, %s …", (...eventNames) => {
    for (const eventName of eventNames) {
      expect(attemptIn(eventOf({ eventName })).operation).toBe(eventName);
    }
  });

  test("is how EC2 begins to attach a volume, and how a verifier fetches a public key", () => {
    const recorded = (name: string): unknown =>
      JSON.parse(readFileSync(new URL(`../cases/${name}.json`, import.meta.url), "utf8"));
    const key = "1234abcd-12ab-34cd-56ef-1234567890ab";
    expect(attemptsIn(recorded("event-CreateGrant-disabled"))).toMatchObject([
      { keyId: key, operation: "CreateGrant", service: "ec2.amazonaws.com" },
    ]);
    expect(attemptsIn(recorded("event-GetPublicKey-pending-deletion"))).toMatchObject([
      { keyId: key, operation: "GetPublicKey" },
    ]);
  });

  test("through an AWS service has the service too", () => {
    const service = "dynamodb.amazonaws.com";
    const invoked = { userIdentity: { ...role, invokedBy: service }, sourceIPAddress: service };
    expect(attemptIn(eventOf(invoked))).toMatchObject({ principal: role.arn, service });
    expect(attemptIn(eventOf({ sourceIPAddress: service })).service).toBe(service);
    const china = "s3.amazonaws.com.cn";
    expect(attemptIn(eventOf({ sourceIPAddress: china })).service).toBe(china);
    expect(attemptIn(eventOf({ sourceIPAddress: "notamazonaws.com" })).service).toBeUndefined();
  });

  test("has the most precise principal in the event", () => {
    const principalOf = (userIdentity: unknown): string =>
      attemptIn(eventOf({ userIdentity })).principal;
    const { arn: _arn, ...session } = role;
    expect(principalOf(session)).toBe(role.sessionContext.sessionIssuer.arn);
    const other = { type: "AWSAccount", principalId: "AROAOTHER:x", accountId: "444455556666" };
    expect(principalOf(other)).toBe("AWSAccount 444455556666");
    expect(principalOf({ type: "AWSService", invokedBy: "s3.amazonaws.com" })).toBe("AWSService");
    expect(principalOf(undefined)).toBe("unknown");
  });
});

describe("the key", () => {
  const bare = { resources: undefined, errorMessage: undefined, requestParameters: undefined };

  test("is the one in the resources, with any alias in the request", () => {
    const requestParameters = { keyId: "alias/billing" };
    expect(keysIn(eventOf({ ...bare, resources: [resourceOf(first)], requestParameters }))).toEqual(
      [first],
    );
  });

  test("is the one in KMS's message if there are no resources", () => {
    for (const what of ["is disabled.", "is pending deletion."]) {
      const errorMessage = `${arnOf(multiRegion)} ${what}`;
      expect(keysIn(eventOf({ ...bare, errorMessage }))).toEqual([multiRegion]);
    }
  });

  test("is the one in the request, if that names a key by id or ARN", () => {
    for (const keyId of [first, arnOf(first), arnOf(first).replace("arn:aws:", "arn:aws-cn:")]) {
      expect(keysIn(eventOf({ ...bare, requestParameters: { keyId } }))).toEqual([first]);
    }
  });

  test.each([
    ["an alias", "alias/billing"],
    ["an alias ARN", `arn:aws:kms:${region}:${account}:alias/${first}`],
    ["an ARN of another service", arnOf(first).replace(":kms:", ":s3:")],
    ["an id with a suffix", `${first}0`],
    ["an ARN with a suffix", `${arnOf(first)}0`],
    ["a number", 7],
  ])("is not known from %s", (_what, keyId) => {
    const requestParameters = { keyId };
    const resources = [{ type: "AWS::KMS::Key", ARN: keyId }];
    const errorMessage = `${keyId} is disabled.`;
    const reading = readUseAttempt(
      eventOf({ ...bare, requestParameters, resources, errorMessage }),
    );
    expect(reading).toEqual({
      kind: "ignored",
      why: "no KMS key of this account and Region",
    });
  });

  test("is not a resource of another type, but may be one of an older record without a type", () => {
    const resource = { accountId: account, ARN: arnOf(first) };
    const typed = { ...resource, type: "AWS::S3::Object" };
    expect(readUseAttempt(eventOf({ ...bare, resources: [typed] })).kind).toBe("ignored");
    expect(keysIn(eventOf({ ...bare, resources: [resource] }))).toEqual([first]);
  });

  test("is two keys if ReEncrypt names two: one attempt each, equal except for the key", () => {
    const event = eventOf({
      eventName: "ReEncrypt",
      errorMessage: `${arnOf(first)} is disabled.`,
      requestParameters: {
        sourceEncryptionContext: { Project: "Alpha", Level: "2" },
        destinationKeyId: second,
        destinationEncryptionContext: { Level: "3A" },
      },
      resources: [resourceOf(first), resourceOf(second)],
    });
    const [source, destination, ...more] = attemptsIn(event);
    expect(more).toEqual([]);
    expect(source).toMatchObject({
      keyId: first,
      operation: "ReEncrypt",
      encryptionContextKeys: ["Level", "Project"],
    });
    expect(destination).toEqual({ ...source, keyId: second });
  });

  test("of ReEncrypt is found in the request as well", () => {
    const requestParameters = { sourceKeyId: arnOf(first), destinationKeyId: second };
    const event = eventOf({ ...bare, eventName: "ReEncrypt", requestParameters });
    expect(keysIn(event)).toEqual([first, second]);
  });

  test("is not one of another account or Region, if the function's own are known", () => {
    const home = { accountId: account, region };
    for (const arn of [arnOf(multiRegion, "eu-west-1"), arnOf(first, region, "444455556666")]) {
      const event = eventOf({ ...bare, resources: [{ type: "AWS::KMS::Key", ARN: arn }] });
      expect(keysIn(event)).toHaveLength(1);
      expect(readUseAttempt(event, home).kind).toBe("ignored");
    }
  });
});
