/** The ports on AWS. The SDK takes endpoints, Region and credentials from its environment. */
import type { Environment } from "../configuration/environment.ts";
import type { Chance, Clock, Ports } from "../ports.ts";
import { requestLimitMs } from "../workflow/model/limits.ts";
import { createTaggingDiscovery, createWalkingDiscovery } from "./discovery.ts";
import { createTable } from "./dynamodb.ts";
import { createEvents } from "./eventbridge.ts";
import { createKeyService } from "./kms.ts";

/** Every request has a limit: a hanging socket must not run the function into its timeout. */
const requestLimits = {
  connectionTimeout: requestLimitMs / 2,
  requestTimeout: requestLimitMs,
  throwOnRequestTimeout: true,
};

export function createAwsPorts(environment: Environment, clock: Clock, chance: Chance): Ports {
  const config = { requestHandler: requestLimits };
  return {
    keys: createKeyService(clock, config),
    discovery:
      environment.discovery === "walk"
        ? createWalkingDiscovery(config)
        : createTaggingDiscovery(config),
    table: createTable(environment.tableName, config),
    events: createEvents(environment.eventBusName, config),
    clock,
    chance,
  };
}
