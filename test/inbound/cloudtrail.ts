/** A CloudTrail record as EventBridge delivers it, for the tests of its parser. */
import type { FunctionLocation } from "../../lambda/inbound/cloudtrail.ts";
import { readUseAttempt } from "../../lambda/inbound/use-attempt.ts";
import type { UseAttempt } from "../../lambda/workflow/model/requests.ts";

export const account = "111122223333";
export const region = "us-west-2";
export const first = "1234abcd-12ab-34cd-56ef-1234567890ab";
export const second = "0987dcba-09fe-87dc-65ba-ab0987654321";
export const multiRegion = `mrk-${"0123456789abcdef".repeat(2)}`;
export const arnOf = (keyId: string, where = region, whose = account): string =>
  `arn:aws:kms:${where}:${whose}:key/${keyId}`;
export const resourceOf = (keyId: string) => ({
  accountId: account,
  type: "AWS::KMS::Key",
  ARN: arnOf(keyId),
});

export const role = {
  type: "AssumedRole",
  principalId: "AROAEXAMPLE:billing-worker",
  arn: `arn:aws:sts::${account}:assumed-role/Billing/billing-worker`,
  accountId: account,
  sessionContext: {
    sessionIssuer: { type: "Role", arn: `arn:aws:iam::${account}:role/Billing` },
  },
};

/** A Decrypt under a disabled key by an assumed role, as CloudTrail records it. */
export const decrypt = {
  eventVersion: "1.11",
  userIdentity: role as Record<string, unknown>,
  eventTime: "2026-11-02T03:04:05Z",
  eventSource: "kms.amazonaws.com",
  eventName: "Decrypt",
  awsRegion: region,
  sourceIPAddress: "192.0.2.17",
  userAgent: "aws-sdk-java/2.25.0",
  errorCode: "DisabledException",
  errorMessage: `${arnOf(first)} is disabled.`,
  requestParameters: {
    encryptionAlgorithm: "SYMMETRIC_DEFAULT",
    encryptionContext: { tenant: "Miller & Daughters", invoice: "4711" },
  },
  responseElements: null,
  requestID: "12345126-30d5-4b28-98b9-9153da559963",
  eventID: "abcde202-ba1a-467c-b4ba-f729d45ae521",
  readOnly: true,
  resources: [resourceOf(first)],
  eventType: "AwsApiCall",
  managementEvent: true,
  recipientAccountId: account,
  eventCategory: "Management",
};

export function eventOf(detail: object = {}, outer: object = {}): unknown {
  return {
    version: "0",
    id: "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "AWS API Call via CloudTrail",
    source: "aws.kms",
    account,
    time: decrypt.eventTime,
    region,
    resources: [],
    detail: { ...decrypt, ...detail },
    ...outer,
  };
}

export function attemptsIn(event: unknown, home?: FunctionLocation): UseAttempt[] {
  const reading = readUseAttempt(event, home);
  if (reading.kind !== "attempt") throw new Error(JSON.stringify(reading));
  return reading.attempts;
}

export function attemptIn(event: unknown): UseAttempt {
  const [attempt, ...more] = attemptsIn(event);
  if (attempt === undefined || more.length > 0) throw new Error(`${more.length + 1} attempts`);
  return attempt;
}

export const keysIn = (event: unknown, home?: FunctionLocation): string[] =>
  attemptsIn(event, home).map(({ keyId }) => keyId);
