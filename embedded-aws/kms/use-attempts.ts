/**
 * The EventBridge event of an attempt to use a key that is disabled or pending deletion.
 * Sources: "CloudTrail record contents" in the CloudTrail User Guide; "AWS service events delivered via
 * AWS CloudTrail" in the EventBridge User Guide; the log entries of "Logging AWS KMS API calls" in the
 * KMS Developer Guide.
 */
import { createHash } from "node:crypto";
import { AwsError } from "../http/aws-error.ts";
import { accountOf } from "./principals.ts";
import { isOutOfUseFor } from "./states.ts";
import type { Call, KmsKey } from "./types.ts";

export type UseAttemptEvent = {
  version: "0";
  id: string;
  "detail-type": "AWS API Call via CloudTrail";
  source: "aws.kms";
  account: string;
  /** ISO 8601, to the second. */
  time: string;
  region: string;
  resources: string[];
  detail: CloudTrailRecord;
};

export type CloudTrailRecord = {
  eventVersion: "1.11";
  userIdentity: { type: string; arn: string; accountId: string };
  eventTime: string;
  eventSource: "kms.amazonaws.com";
  eventName: string;
  awsRegion: string;
  sourceIPAddress: string;
  errorCode: string;
  errorMessage: string;
  requestParameters: Record<string, unknown>;
  responseElements: null;
  requestID: string;
  eventID: string;
  readOnly: boolean;
  resources: { accountId: string; type: "AWS::KMS::Key"; ARN: string }[];
  eventType: "AwsApiCall";
  managementEvent: true;
  recipientAccountId: string;
  eventCategory: "Management";
};

/** The request parameters in a record. It omits all others (plaintext, ciphertext, signatures). */
const recordedParameters = [
  "KeyId",
  "SourceKeyId",
  "DestinationKeyId",
  "EncryptionContext",
  "SourceEncryptionContext",
  "DestinationEncryptionContext",
  "EncryptionAlgorithm",
  "SourceEncryptionAlgorithm",
  "DestinationEncryptionAlgorithm",
  "SigningAlgorithm",
  "MacAlgorithm",
  "KeyAgreementAlgorithm",
  "KeySpec",
  "KeyPairSpec",
  "NumberOfBytes",
  "MessageType",
  "DryRun",
  "GranteePrincipal",
  "GranteeServicePrincipal",
  "Operations",
  "Constraints",
];

/** The event of a cryptographic operation that failed with `error` because of its key's state. */
export function useAttemptOf(
  call: Call,
  input: unknown,
  error: unknown,
): UseAttemptEvent | undefined {
  if (!(error instanceof AwsError)) return undefined;
  if (error.code !== "DisabledException" && error.code !== "KMSInvalidStateException") {
    return undefined;
  }
  const key = call.keyId === undefined ? undefined : call.world.keys.get(call.keyId);
  if (key === undefined || !isOutOfUseFor(call.operation, key)) return undefined;
  const { account, region } = call.world;
  const detail = recordOf(call, input, error, key);
  return {
    version: "0",
    id: idFrom(`event of ${call.requestId}`),
    "detail-type": "AWS API Call via CloudTrail",
    source: "aws.kms",
    account,
    time: detail.eventTime,
    region,
    resources: [],
    detail,
  };
}

function recordOf(call: Call, input: unknown, error: AwsError, key: KmsKey): CloudTrailRecord {
  const { account, region } = call.world;
  const arn = call.caller.principalArn;
  return {
    eventVersion: "1.11",
    userIdentity: { type: identityType(arn), arn, accountId: accountOf(arn) ?? account },
    eventTime: `${new Date(call.nowMs).toISOString().slice(0, 19)}Z`,
    eventSource: "kms.amazonaws.com",
    eventName: call.operation,
    awsRegion: region,
    sourceIPAddress: "127.0.0.1",
    errorCode: error.code,
    errorMessage: error.message,
    requestParameters: parametersOf(call.operation, input),
    responseElements: null,
    requestID: call.requestId,
    eventID: idFrom(`record of ${call.requestId}`),
    readOnly: call.operation !== "CreateGrant",
    resources: [{ accountId: account, type: "AWS::KMS::Key", ARN: key.arn }],
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: account,
    eventCategory: "Management",
  };
}

/** "Decrypt" in the KMS Developer Guide: the algorithm is present even if the request names none. */
function parametersOf(operation: string, input: unknown): Record<string, unknown> {
  const given = input as Record<string, unknown>;
  const recorded: Record<string, unknown> =
    operation === "Encrypt" || operation === "Decrypt"
      ? { encryptionAlgorithm: "SYMMETRIC_DEFAULT" }
      : {};
  for (const name of recordedParameters) {
    const value = given[name];
    if (value === undefined || value === null) continue;
    recorded[name.charAt(0).toLowerCase() + name.slice(1)] = structuredClone(value);
  }
  return recorded;
}

/** "CloudTrail userIdentity element". */
function identityType(arn: string): string {
  if (arn.endsWith(":root")) return "Root";
  if (arn.includes(":assumed-role/")) return "AssumedRole";
  return arn.includes(":role/") ? "Role" : "IAMUser";
}

/** From the request id: one more random number would change every history of a seed. */
function idFrom(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`];
  return [...parts, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}
