import { RemovalPolicy } from "aws-cdk-lib";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import type { Construct } from "constructs";
import { tableDefinition } from "../lambda/record/table-definition.ts";
import { acknowledge, acknowledged } from "./acknowledged.ts";

/** The table of lambda/record/table-definition.ts; its index is sparse and projects only keys. */
export function createTable(scope: Construct): dynamodb.ITable {
  const { STRING, NUMBER } = dynamodb.AttributeType;
  const { partitionKey, sortKey, dueIndex } = tableDefinition;
  const table = new dynamodb.Table(scope, "Table", {
    partitionKey: { name: partitionKey, type: STRING },
    sortKey: { name: sortKey, type: STRING },
    billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
    // A key of DynamoDB's own: a managed key can never lock keyturn out of its state.
    encryption: dynamodb.TableEncryption.DEFAULT,
  });
  table.addGlobalSecondaryIndex({
    indexName: dueIndex.name,
    partitionKey: { name: dueIndex.partitionKey, type: STRING },
    sortKey: { name: dueIndex.sortKey, type: NUMBER },
    projectionType: dynamodb.ProjectionType.KEYS_ONLY,
  });
  acknowledge(table, acknowledged.table);
  // With exactOptionalPropertyTypes, CDK's own class does not match CDK's own interface.
  return table as unknown as dynamodb.ITable;
}
