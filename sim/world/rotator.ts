/** What rotates the keys of a simulated world: keyturn, or the script it is compared with. */
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

/** What surrounds it. */
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
  /** Told of the record as each turn leaves it. */
  passEnded: (record: ManagedKey) => void;
  trace: (line: () => string) => void;
};

export interface Rotator {
  /** How many runs it has begun. */
  readonly runs: number;
  readonly accounts: Accounts;
  /** Who judges it besides those who judge every rotator. */
  readonly checkers: Checker[];
  /** A schedule fires. */
  tick(): void;
  /** An event from CloudTrail, on a use of a key that is out of use. */
  deliver(event: unknown): void;
}
