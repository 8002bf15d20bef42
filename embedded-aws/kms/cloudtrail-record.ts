/**
 * The EventBridge event of a KMS call that failed, with its CloudTrail record.
 * Sources: "CloudTrail record contents" in the CloudTrail User Guide; "AWS service events delivered via
 * AWS CloudTrail" in the EventBridge User Guide; the log entries of "Logging AWS KMS API calls" in the
 * KMS Developer Guide.
 */
import { createHash } from "node:crypto";
import { lowerFirst } from "../http/shape.ts";
import { accountOf } from "./principals.ts";
import type { Call, KmsKey } from "./types.ts";

export type CloudTrailEvent<R extends CloudTrailRecord = CloudTrailRecord> = {
  version: "0";
  id: string;
  "detail-type": "AWS API Call via CloudTrail";
  source: "aws.kms";
  account: string;
  /** ISO 8601, to the second. */
  time: string;
  region: string;
  resources: string[];
  detail: R;
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
  /** Absent where KMS has no message. */
  errorMessage?: string;
  requestParameters: RequestParameters | null;
  responseElements: null;
  requestID: string;
  eventID: string;
  readOnly: boolean;
  resources?: RecordedResource[];
  eventType: "AwsApiCall";
  managementEvent: true;
  recipientAccountId: string;
  eventCategory: "Management";
};

export type RequestParameters = Record<string, unknown>;
export type RecordedResource = { accountId: string; type: "AWS::KMS::Key"; ARN: string };

/** The members of a record that depend on the error. */
type Failure = Pick<CloudTrailRecord, "errorCode" | "errorMessage" | "requestParameters">;
type Named = Pick<CloudTrailRecord, "resources">;

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

/** The event of a failed call, in the account of the keys. */
export function eventOf<F extends Failure, N extends Named>(
  call: Call,
  failure: F,
  named: N,
): CloudTrailEvent<CloudTrailRecord & F & N> {
  const { account, region } = call.world;
  const arn = call.caller.principalArn;
  const time = `${new Date(call.nowMs).toISOString().slice(0, 19)}Z`;
  return {
    version: "0",
    id: idFrom(`event of ${call.requestId}`),
    "detail-type": "AWS API Call via CloudTrail",
    source: "aws.kms",
    account,
    time,
    region,
    resources: [],
    detail: {
      eventVersion: "1.11",
      userIdentity: { type: identityType(arn), arn, accountId: accountOf(arn) ?? account },
      eventTime: time,
      eventSource: "kms.amazonaws.com",
      eventName: call.operation,
      awsRegion: region,
      sourceIPAddress: "127.0.0.1",
      ...failure,
      responseElements: null,
      requestID: call.requestId,
      eventID: idFrom(`record of ${call.requestId}`),
      readOnly: call.operation !== "CreateGrant",
      ...named,
      eventType: "AwsApiCall",
      managementEvent: true,
      recipientAccountId: account,
      eventCategory: "Management",
    },
  };
}

/** "Decrypt" in the KMS Developer Guide: the algorithm is present even if the request names none. */
export function parametersOf(operation: string, input: unknown): RequestParameters {
  const given = input as RequestParameters;
  const recorded: RequestParameters =
    operation === "Encrypt" || operation === "Decrypt"
      ? { encryptionAlgorithm: "SYMMETRIC_DEFAULT" }
      : {};
  for (const name of recordedParameters) {
    const value = given[name];
    if (value === undefined || value === null) continue;
    recorded[lowerFirst(name)] = structuredClone(value);
  }
  return recorded;
}

export function resourceOf(call: Call, key: KmsKey): RecordedResource {
  return { accountId: call.world.account, type: "AWS::KMS::Key", ARN: key.arn };
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
