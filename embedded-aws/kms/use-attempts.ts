/** The EventBridge event of a use that KMS refuses because of the state of the key. */
import { AwsError } from "../http/aws-error.ts";
import {
  eventOf,
  parametersOf,
  resourceOf,
  type CloudTrailEvent,
  type CloudTrailRecord,
  type RecordedResource,
  type RequestParameters,
} from "./cloudtrail-record.ts";
import { isUse } from "./states.ts";
import type { Call } from "./types.ts";

/** An error of a key's state has a message, and its record names the key. */
export type UseAttemptEvent = CloudTrailEvent<
  CloudTrailRecord & {
    errorMessage: string;
    requestParameters: RequestParameters;
    resources: RecordedResource[];
  }
>;

/**
 * The event of a use that failed with `error` because of the key's state. CloudTrail records it in every state, not
 * only in those that keyturn causes.
 */
export function useAttemptOf(
  call: Call,
  input: unknown,
  error: unknown,
): UseAttemptEvent | undefined {
  if (!(error instanceof AwsError)) return undefined;
  const { code: errorCode, message: errorMessage } = error;
  if (errorCode !== "DisabledException" && errorCode !== "KMSInvalidStateException") {
    return undefined;
  }
  const key = call.keyId === undefined ? undefined : call.world.keys.get(call.keyId);
  if (key === undefined || !isUse(call.operation)) return undefined;
  const requestParameters = parametersOf(call.operation, input);
  const failure = { errorCode, errorMessage, requestParameters };
  return eventOf(call, failure, { resources: [resourceOf(call, key)] });
}
