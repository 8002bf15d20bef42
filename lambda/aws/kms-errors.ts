/** What KMS's errors mean. Only a modelled 4xx is a definite answer; anything else leaves doubt. */
import { RotationError, describeError } from "../errors.ts";
import type { Outcome, Refusal, Observation } from "../workflow/model/types.ts";

/** Names by the API reference; both spellings of throttling occur. */
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
};

/** Answers to an operation that is not offered: by a Region behind the times, or by an emulator. */
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

/** A look: what was seen, or that it is absent or denied; throws where KMS gave no answer. */
export async function sighted<T>(read: () => Promise<T>): Promise<Observation<T>> {
  try {
    return { kind: "observed", value: await read() };
  } catch (error) {
    const name = nameOf(error);
    if (name === "NotFoundException") return { kind: "absent" };
    if (refusals[name] === "AccessDenied") return { kind: "denied", message: describeError(error) };
    const code = refusals[name] === "Throttled" ? "THROTTLED" : "KMS_FAILED";
    throw new RotationError(code, `a look at KMS failed: ${describeError(error)}`, error);
  }
}

/** Whether the operation is not offered where we run: then nothing is known, and never will be. */
export function isNotOffered(error: unknown): boolean {
  return notOffered.includes(nameOf(error)) || statusOf(error) === 501;
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
