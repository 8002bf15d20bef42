/** The checkers of every world, whatever its rotator and its callers. */
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import type { Scenario } from "../scenario.ts";
import type { Application } from "../world/application.ts";
import type { Resources } from "../world/resources.ts";
import { availability } from "./availability.ts";
import type { Checker, Facts } from "./checker.ts";
import { data } from "./data.ts";
import { drift } from "./drift.ts";
import { evidence } from "./evidence.ts";
import { liveness, type Accounts } from "./liveness.ts";
import { needs } from "./needs.ts";
import { successors } from "./successors.ts";

type World = {
  /** When operators made their last request for each managed key. */
  askedAtMs: Map<string, number>;
  applications: Application[];
  resources: Resources;
  recordOf: (alias: string) => ManagedKey | undefined;
  scenario: Scenario;
};

export function checkersOfAll(facts: Facts, accounts: Accounts, world: World): Checker[] {
  const { askedAtMs, applications, resources, recordOf, scenario } = world;
  return [
    availability(facts),
    evidence(facts, accounts.isHeld),
    drift(facts, accounts.serves),
    successors(facts, askedAtMs),
    data(facts, applications),
    needs(facts, resources, recordOf),
    liveness(facts, accounts, scenario),
  ];
}
