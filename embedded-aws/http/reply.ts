/** HTTP replies. */
import { AwsError } from "./aws-error.ts";
import { toWire } from "./json.ts";

export type Reply = { status: number; headers: Record<string, string>; body: string };

/** A successful answer in AWS JSON 1.1. KMS's operations without output answer with an empty body. */
export function success(output: unknown, requestId: string): Reply {
  const answer = reply(200, toWire(output), requestId);
  return answer.body === "{}" ? { ...answer, body: "" } : answer;
}

export function failure(error: unknown, requestId: string): Reply {
  if (!(error instanceof AwsError)) return brokenTwin(error, requestId);
  const { code, message, httpStatus } = error;
  // An error without a message has no such member: KMS's answer to an invalid signature.
  return reply(httpStatus, { __type: code, ...(message === "" ? {} : { message }) }, requestId);
}

/** An internal error of the twin, reported as one: clients show the message. */
function brokenTwin(error: unknown, requestId: string): Reply {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return reply(500, { __type: "InternalFailure", message }, requestId);
}

export function json(status: number, value: unknown): Reply {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: `${JSON.stringify(value)}\n`,
  };
}

function reply(status: number, value: unknown, requestId: string): Reply {
  return {
    status,
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amzn-requestid": requestId,
    },
    body: JSON.stringify(value),
  };
}
