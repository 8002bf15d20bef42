/** An operation: the shape of its input, and its effect for well-formed input. */
import { AwsError } from "../http/aws-error.ts";
import { readInput, type Shape } from "../http/shape.ts";
import type { Call } from "./types.ts";

export type Operation = (call: Call, input: unknown) => unknown;

export function operation<T>(shape: Shape<T>, run: (call: Call, input: T) => unknown): Operation {
  return (call, input) => {
    const read = readInput(shape, input ?? {});
    // There is no enclave here, and no attestation document is genuine.
    if (typeof read === "object" && read !== null && "Recipient" in read) {
      throw new AwsError("ValidationException", "The attestation document is not valid");
    }
    return run(call, read);
  };
}
