export type FaultCode =
  "KMS_FAILED" | "TABLE_FAILED" | "EVENTS_FAILED" | "DISCOVERY_FAILED" | "THROTTLED";

/** A fault outside of keyturn: a request got no answer. Another run may succeed. */
export class RotationError extends Error {
  readonly code: FaultCode;

  constructor(code: FaultCode, message: string, cause: unknown) {
    super(message, { cause });
    this.name = "RotationError";
    this.code = code;
  }
}

/** The error and all its causes, in one line. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = `${error.name}: ${error.message}`;
  return error.cause === undefined ? own : `${own} (${describeError(error.cause)})`;
}
