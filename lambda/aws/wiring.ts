/** The ports on AWS. Endpoints, Region and credentials come from the SDK's own environment. */
import type { Environment } from "../environment.ts";
import type { Chance, Clock, Ports } from "../ports.ts";
import { createTaggingDiscovery, createWalkingDiscovery } from "./discovery.ts";
import { createTable } from "./dynamodb.ts";
import { createEvents } from "./eventbridge.ts";
import { createKeyService } from "./kms.ts";

export function createAwsPorts(environment: Environment, clock: Clock, chance: Chance): Ports {
  return {
    keys: createKeyService(clock),
    discovery:
      environment.discovery === "walk" ? createWalkingDiscovery() : createTaggingDiscovery(),
    table: createTable(environment.tableName),
    events: createEvents(environment.eventBusName),
    clock,
    chance,
  };
}
