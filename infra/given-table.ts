/** An existing table as the state table, such as one that was restored from a backup: what makes it unfit. */
import { Arn, ArnFormat, CfnResource, Stack, Token } from "aws-cdk-lib";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import type { Construct, IConstruct } from "constructs";
import { tableDefinition } from "../lambda/record/table-definition.ts";
import { isSamePlace } from "./placement.ts";

/** A deployment, and the table that was given to it. */
export type OnTable = { scope: Construct; given: dynamodb.ITable | undefined };

/** By its name alone, the table is one of the deployment's account and Region. */
export function givenTable(
  scope: Construct,
  given: dynamodb.ITable | string | undefined,
): dynamodb.ITable | undefined {
  if (typeof given !== "string") return given;
  return dynamodb.Table.fromTableName(scope, "StateTable", given);
}

/** `earlier`: the deployments before this one in the app. */
export function whyUnfitTable({ scope, given }: OnTable, earlier: OnTable[]): string[] {
  if (given === undefined) return [];
  const { path } = given.node;
  const problems: string[] = [];
  if (!isSamePlace(Stack.of(scope), placeOf(given))) {
    problems.push(`${path} is in another account or Region than this deployment`);
  }
  if (given.encryptionKey !== undefined) {
    problems.push(
      `${path} is encrypted with the key ${given.encryptionKey.node.path}: expected DynamoDB's own key, because the roles have no right to use keys, and a key that is out of use would lock keyturn out of its state`,
    );
  }
  const first = earlier.find((other) => isSameTable({ scope, given }, other));
  if (first !== undefined) {
    problems.push(`${nameOf(given)} is the state table of ${first.scope.node.path} already`);
  }
  return [...problems, ...otherSchema(given)].map((problem) => `stateTable: ${problem}`);
}

/** CDK takes an imported table for one of its stack, whatever its ARN says. */
function placeOf({ tableArn, env }: dynamodb.ITable): { account: string; region: string } {
  if (Token.isUnresolved(tableArn)) return env;
  const { account = env.account, region = env.region } = Arn.split(
    tableArn,
    ArnFormat.SLASH_RESOURCE_NAME,
  );
  return { account, region };
}

function isSameTable({ scope, given }: OnTable, other: OnTable): boolean {
  if (given === undefined || other.given === undefined) return false;
  const [one, two] = [resourceOf(given), resourceOf(other.given)];
  if (one !== undefined || two !== undefined) return one === two;
  const isSameName =
    !Token.isUnresolved(given.tableName) && given.tableName === other.given.tableName;
  return isSameName && isSamePlace(Stack.of(scope), Stack.of(other.scope));
}

function nameOf(table: dynamodb.ITable): string {
  return resourceOf(table)?.node.path ?? table.tableName;
}

function resourceOf({ node }: IConstruct): CfnResource | undefined {
  return node.defaultChild instanceof CfnResource ? node.defaultChild : undefined;
}

type KeySchema = { attributeName: string; keyType: string }[];
type Schema = {
  keySchema?: KeySchema;
  attributeDefinitions?: { attributeName: string; attributeType: string }[];
  globalSecondaryIndexes?: { indexName: string; keySchema: KeySchema }[];
};

/** Only the resources of the app show their keys at synth. */
function otherSchema(table: dynamodb.ITable): string[] {
  const resource = resourceOf(table);
  if (!(resource instanceof dynamodb.CfnTable || resource instanceof dynamodb.CfnGlobalTable)) {
    return [];
  }
  const { keySchema, attributeDefinitions, globalSecondaryIndexes } = resource;
  const schema = { keySchema, attributeDefinitions, globalSecondaryIndexes };
  const { keySchema: own = [], ...rest } = Stack.of(resource).resolve(schema) as Schema;
  const types = new Map(
    rest.attributeDefinitions?.map((one) => [one.attributeName, one.attributeType]),
  );
  const shown = (keys: KeySchema): string =>
    keys.map(({ attributeName: name }) => `${name} (${types.get(name)})`).join(" and ");
  const { partitionKey, sortKey, dueIndex } = tableDefinition;
  const keys = `${partitionKey} (S) and ${sortKey} (S)`;
  const indexKeys = `${dueIndex.partitionKey} (S) and ${dueIndex.sortKey} (N)`;
  const index = rest.globalSecondaryIndexes?.find((one) => one.indexName === dueIndex.name);
  const { path } = table.node;
  return [
    ...(shown(own) === keys ? [] : [`${path} has other keys than keyturn's: expected ${keys}`]),
    ...(index !== undefined && shown(index.keySchema) === indexKeys
      ? []
      : [`${path} has no index ${dueIndex.name} with the keys ${indexKeys}`]),
  ];
}
