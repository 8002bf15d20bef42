/** Faults that a test puts between a client and a service. */
export type Fault =
  /** Refused with an error, and not applied. */
  | { kind: "before"; code: string; status: number }
  /** Applied, but the answer is lost on its way. */
  | { kind: "lost" }
  /** Neither applied nor answered. */
  | { kind: "drop" }
  | { kind: "delay"; ms: number };

export type Service = "kms" | "dynamodb" | "events" | "tagging";

/** Asked for each request, with its input as sent; undefined lets it pass. */
export type FaultHook = (service: Service, operation: string, input: unknown) => Fault | undefined;
