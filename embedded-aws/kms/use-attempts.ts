/** The EventBridge event of an attempt to use a key that is disabled or pending deletion. */
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
import { isOutOfUseFor } from "./states.ts";
import type { Call } from "./types.ts";

/** An error of a key's state has a message, and its record names the key. */
export type UseAttemptEvent = CloudTrailEvent<
  CloudTrailRecord & {
    errorMessage: string;
    requestParameters: RequestParameters;
    resources: RecordedResource[];
  }
>;

/** The event of a cryptographic operation that failed with `error` because of its key's state. */
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
  if (key === undefined || !isOutOfUseFor(call.operation, key)) return undefined;
  const requestParameters = parametersOf(call.operation, input);
  const failure = { errorCode, errorMessage, requestParameters };
  return eventOf(call, failure, { resources: [resourceOf(call, key)] });
}
