/**
 * The EventBridge event of a refused use: access is denied, or the key is not the one that made the
 * ciphertext, MAC or signature. Sources: InvalidCiphertextException has the key in `resources` and no
 * message in a record that the advisory of CVE-2020-8897 prints. IncorrectKeyException has no `resources`
 * in a record of 2020, and has them in the example of "Decrypt" in the KMS Developer Guide: the twin
 * writes the record that says less. No AccessDenied of KMS is published in full: parts show the key in the message.
 */
import { AwsError } from "../http/aws-error.ts";
import {
  eventOf,
  parametersOf,
  resourceOf,
  type CloudTrailEvent,
  type CloudTrailRecord,
} from "./cloudtrail-record.ts";
import { accountOf } from "./principals.ts";
import { isUse } from "./states.ts";
import type { Call } from "./types.ts";

/** KMS found the key, and its cryptography refused the input. */
const refusedByCryptography = new Set([
  "InvalidCiphertextException",
  "KMSInvalidMacException",
  "KMSInvalidSignatureException",
]);

type Refusal = {
  failure: Pick<CloudTrailRecord, "errorCode" | "errorMessage" | "requestParameters">;
  named: Pick<CloudTrailRecord, "resources">;
};

/** The event of a call that needs a key and failed with `error`, if the error refuses the use. */
export function refusedUseOf(
  call: Call,
  input: unknown,
  error: unknown,
): CloudTrailEvent | undefined {
  if (!(error instanceof AwsError) || !isUse(call.operation)) return undefined;
  const refusal = refusalOf(call, input, error);
  return refusal === undefined ? undefined : eventOf(call, refusal.failure, refusal.named);
}

function refusalOf(call: Call, input: unknown, error: AwsError): Refusal | undefined {
  const { code } = error;
  if (code === "AccessDeniedException") {
    if (isFromAnotherAccount(call)) return undefined;
    // CloudTrail's name for the error, and the least that a record of it has.
    const failure = { errorCode: "AccessDenied", ...messageOf(error), requestParameters: null };
    return { failure, named: {} };
  }
  const isByCryptography = refusedByCryptography.has(code);
  if (!isByCryptography && code !== "IncorrectKeyException") return undefined;
  const requestParameters = parametersOf(call.operation, input);
  const failure = { errorCode: code, ...messageOf(error), requestParameters };
  return { failure, named: isByCryptography ? keyOf(call) : {} };
}

/** "Cross-account requests that are denied are logged only in the caller's account." */
function isFromAnotherAccount({ caller, world }: Call): boolean {
  return ![undefined, world.account].includes(accountOf(caller.principalArn));
}

function messageOf({ message }: AwsError): { errorMessage?: string } {
  return message === "" ? {} : { errorMessage: message };
}

/** Nothing where the input is no ciphertext: KMS then refuses it before it knows the key. */
function keyOf(call: Call): Refusal["named"] {
  const key = call.keyId === undefined ? undefined : call.world.keys.get(call.keyId);
  return key === undefined ? {} : { resources: [resourceOf(call, key)] };
}
