/** The rotator of a simulated world: keyturn, or the script to compare with. */
import type { Configuration } from "../../lambda/configuration/configuration.ts";
import type { ManagedKey, Policy } from "../../lambda/workflow/model/types.ts";
import type { Checker, Facts } from "../checkers/checker.ts";
import type { Accounts } from "../checkers/liveness.ts";
import type { TableTwin } from "../ports/table.ts";
import type { SimRandom } from "../../embedded-aws/random.ts";
import type { Engine } from "./engine.ts";
import type { FaultPlan } from "./fault-plan.ts";
import type { Network } from "./network.ts";
import type { Flight } from "./ports.ts";
import type { SharedKms } from "./shared-kms.ts";

/** The environment of a rotator. */
export type Surroundings = {
  engine: Engine;
  kms: SharedKms;
  table: TableTwin;
  network: Network;
  faultPlan: FaultPlan;
  random: SimRandom;
  flights: Set<Flight>;
  configuration: Configuration;
  policies: Map<string, Policy>;
  facts: Facts;
  /** Whether refused uses are collected. */
  collects: boolean;
  /** Called with the mark of each canary. */
  canary: (mark: string) => void;
  /** Called with the record after each pass. */
  passEnded: (record: ManagedKey) => void;
  trace: (line: () => string) => void;
};

export interface Rotator {
  /** The number of runs begun. */
  readonly runs: number;
  readonly accounts: Accounts;
  /** Its own checkers, besides those of every rotator. */
  readonly checkers: Checker[];
  /** A schedule fires. */
  tick(): void;
  /** A CloudTrail event about the use of a key that is out of use. */
  deliver(event: unknown): void;
  /** A CloudTrail event about a refused use reaches the queue. */
  deliverRefused(event: unknown): void;
  /** A CloudTrail event about a change of a key or an alias; `died`: every invocation with it failed. */
  deliverChange(event: unknown, died: () => void): void;
}
