/** An operation: the shape of its input, and its effect for well-formed input. */
import { readInput, type Shape } from "../http/shape.ts";
import type { Call } from "./types.ts";

export type Operation = (call: Call, input: unknown) => unknown;

export function operation<T>(shape: Shape<T>, run: (call: Call, input: T) => unknown): Operation {
  return (call, input) => run(call, readInput(shape, input ?? {}));
}
