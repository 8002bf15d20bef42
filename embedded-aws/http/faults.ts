/** Faults that a test injects between a client and a service. */
export type Fault =
  /** Rejected with an error, and not applied. */
  | { kind: "before"; code: string; status: number }
  /** Applied, but the answer is lost. */
  | { kind: "lost" }
  /** Neither applied nor answered. */
  | { kind: "drop" }
  | { kind: "delay"; ms: number };

export type Service = "kms" | "dynamodb" | "events" | "tagging";

/** The connection of a request; `requests`: how many requests it had so far, this one included. */
export type Connection = { number: number; requests: number };

/** Called for each request, with its input as sent; undefined injects no fault. */
export type FaultHook = (
  service: Service,
  operation: string,
  input: unknown,
  connection: Connection,
) => Fault | undefined;
