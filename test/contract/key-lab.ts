/** The KMS of one test, through either implementation of the port. */
import type { CreateKeyCommandInput } from "@aws-sdk/client-kms";
import type { Guard, KeyService } from "../../lambda/ports.ts";
import type { SimClock } from "../../embedded-aws/clock.ts";
import type { EmbeddedAwsOptions } from "../../embedded-aws/embedded-aws.ts";

export type LabOptions = Omit<EmbeddedAwsOptions, "port" | "clock" | "seed" | "fault">;

/** A KMS that the test arranges, through one implementation of the port. */
export type KeyLab = {
  keys: KeyService;
  kms: { snapshot: () => { keys: unknown[] }; addAwsManagedKey: (service: string) => string };
  clock: Pick<SimClock, "nowMs" | "advance" | "moveTo">;
  accountId: string;
  /** A time of `clock` as KMS returns it. */
  toldAs: (ms: number) => number;
  ask: <T = unknown>(operation: string, input: object) => T;
  aKey: (input?: CreateKeyCommandInput) => string;
  guard: () => Guard;
};
