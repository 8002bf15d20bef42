/**
 * The meaning of KMS errors. Only a modelled 4xx is definite; any other leaves the outcome unknown.
 */
import { RotationError, describeError } from "../errors.ts";
import type { Outcome, Refusal, Observation } from "../workflow/model/types.ts";

/** Names from the API reference; both spellings of throttling occur. */
const refusals: Record<string, Refusal> = {
  AccessDeniedException: "AccessDenied",
  AccessDenied: "AccessDenied",
  ThrottlingException: "Throttled",
  Throttling: "Throttled",
  TooManyRequestsException: "Throttled",
  LimitExceededException: "LimitExceeded",
  KMSInvalidStateException: "InvalidState",
  DisabledException: "InvalidState",
  NotFoundException: "NotFound",
  MalformedPolicyDocumentException: "MalformedPolicy",
  InvalidArnException: "UnknownPrincipal",
};

/** Answers to an operation that a Region or an emulator does not offer yet. */
const notOffered = [
  "UnknownOperationException",
  "UnsupportedOperationException",
  "NotImplementedException",
  "InvalidAction",
];

type ServiceError = Error & { $metadata?: { httpStatusCode?: number } };

function statusOf(error: unknown): number | undefined {
  return error instanceof Error ? (error as ServiceError).$metadata?.httpStatusCode : undefined;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

/**
 * An observation: observed, absent or denied. Throws if KMS gave no answer. `isAbsent`: the further
 * errors by which KMS says that there is nothing to read.
 */
export async function sighted<T>(
  read: () => Promise<T>,
  isAbsent: (error: unknown) => boolean = () => false,
): Promise<Observation<T>> {
  try {
    return { kind: "observed", value: await read() };
  } catch (error) {
    const name = nameOf(error);
    if (name === "NotFoundException" || isAbsent(error)) return { kind: "absent" };
    if (refusals[name] === "AccessDenied") return { kind: "denied", message: describeError(error) };
    const code = refusals[name] === "Throttled" ? "THROTTLED" : "KMS_FAILED";
    throw new RotationError(code, `reading KMS failed: ${describeError(error)}`, error);
  }
}

/** Whether the operation is not offered here: then the answer stays unknown. */
export function isNotOffered(error: unknown): boolean {
  return notOffered.includes(nameOf(error)) || statusOf(error) === 501;
}

/** Whether the state of the key forbids the call, as of a disabled key, or the call does not exist here. */
export function isUnfit(error: unknown): boolean {
  return refusals[nameOf(error)] === "InvalidState" || isNotOffered(error);
}

/** A changing call: done, refused by a definite answer, or unknown. Never throws. */
export async function outcomeOf(
  call: () => Promise<Extract<Outcome, { kind: "done" }>>,
): Promise<Outcome> {
  try {
    return await call();
  } catch (error) {
    const name = nameOf(error);
    const message = describeError(error);
    if (name === "PastDeadline") return { kind: "refused", refusal: "PastDeadline", message };
    const status = statusOf(error);
    if (status === undefined || status < 400 || status > 499) return { kind: "unknown", message };
    return { kind: "refused", refusal: refusals[name] ?? "Other", message };
  }
}
