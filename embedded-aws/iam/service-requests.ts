/**
 * The IAM authorization of requests to DynamoDB, EventBridge and the tagging API. Source: "Actions,
 * resources, and condition keys" of each in the Service Authorization Reference; "DynamoDB API
 * permissions" in the Amazon DynamoDB Developer Guide, which splits a transaction into its parts.
 */
import { tableDefinition } from "../../lambda/record/table-definition.ts";
import { AwsError } from "../http/aws-error.ts";
import type { Service } from "../http/faults.ts";
import type { RequestContext } from "../kms/policy-conditions.ts";
import type { IdentityPolicies } from "./identity-policies.ts";

export type ServiceRequest = {
  service: Exclude<Service, "kms">;
  operation: string;
  principalArn: string;
  input: unknown;
};

type Place = { region: string; account: string };
type Account = Place & { identityPolicies: IdentityPolicies };
type Question = { action: string; resource: string; values?: Record<string, string[]> };
type Fields = Record<string, unknown>;

/** Throws AccessDeniedException unless the principal's policies allow every action of the request. */
export function authorizeService(account: Account, request: ServiceRequest): void {
  const { principalArn } = request;
  for (const { action, resource, values = {} } of questionsOf(request, account)) {
    const context = (): RequestContext => {
      const entries = Object.entries(values).map(
        ([name, all]) => [name.toLowerCase(), all] as const,
      );
      return new Map(entries);
    };
    const decision = account.identityPolicies.decide({ principalArn, action, resource, context });
    if (decision === "allowed" || decision === "not asked") continue;
    const why =
      decision === "denied"
        ? "with an explicit deny in an identity-based policy"
        : `because no identity-based policy allows the ${action} action`;
    const message = `User: ${principalArn} is not authorized to perform: ${action} on resource: ${resource} ${why}`;
    throw new AwsError("AccessDeniedException", message);
  }
}

function questionsOf({ service, operation, input }: ServiceRequest, place: Place): Question[] {
  const fields = isFields(input) ? input : {};
  switch (service) {
    case "dynamodb":
      return tableQuestions(operation, fields, place);
    case "events":
      return eventQuestions(operation, fields, place);
    case "tagging":
      return [{ action: `tag:${operation}`, resource: "*" }];
  }
}

function tableQuestions(operation: string, input: Fields, place: Place): Question[] {
  const action = `dynamodb:${operation}`;
  const batch = input["RequestItems"];
  if (isFields(batch)) {
    return Object.keys(batch).map((table) => ({ action, resource: tableArn(place, table) }));
  }
  const parts = input["TransactItems"];
  if (Array.isArray(parts)) return parts.flatMap((part) => partOf(part, place));
  const table = tableArn(place, input["TableName"]);
  const index = input["IndexName"];
  const resource = typeof index === "string" ? `${table}/index/${index}` : table;
  return [{ action, resource, values: leadingKeys(input) }];
}

function partOf(part: unknown, place: Place): Question[] {
  if (!isFields(part)) return [];
  return Object.entries(part).map(([kind, of]) => {
    const fields = isFields(of) ? of : {};
    const action = kind === "Get" ? "dynamodb:GetItem" : `dynamodb:${kind.replace("Item", "")}Item`;
    return { action, resource: tableArn(place, fields["TableName"]), values: leadingKeys(fields) };
  });
}

/** The partition keys of the items that a request names individually. */
function leadingKeys(input: Fields): Record<string, string[]> {
  const item = input["Item"] ?? input["Key"];
  const key = isFields(item) ? item[tableDefinition.partitionKey] : undefined;
  if (!isFields(key) || typeof key["S"] !== "string") return {};
  return { "dynamodb:LeadingKeys": [key["S"]] };
}

function eventQuestions(operation: string, input: Fields, { region, account }: Place): Question[] {
  const entries = Array.isArray(input["Entries"]) ? input["Entries"].filter(isFields) : [];
  return entries.map((entry) => {
    const bus = typeof entry["EventBusName"] === "string" ? entry["EventBusName"] : "default";
    const resource = bus.startsWith("arn:")
      ? bus
      : `arn:aws:events:${region}:${account}:event-bus/${bus}`;
    const source = typeof entry["Source"] === "string" ? [entry["Source"]] : [];
    return { action: `events:${operation}`, resource, values: { "events:source": source } };
  });
}

function tableArn({ region, account }: Place, table: unknown): string {
  const name = typeof table === "string" ? table : "";
  return name.startsWith("arn:") ? name : `arn:aws:dynamodb:${region}:${account}:table/${name}`;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
