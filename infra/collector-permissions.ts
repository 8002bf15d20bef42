/** The permissions of the second function's role: its queue, its items, and nothing on KMS. */
import type * as iam from "aws-cdk-lib/aws-iam";
import { keys } from "../lambda/aws/dynamodb-items.ts";
import { allow, onPartitions } from "./permissions.ts";

/** Its log group's statement is CDK's own. */
export function collectorStatements(tableArn: string, queueArn: string): iam.PolicyStatement[] {
  const binding = keys.binding("*").pk;
  const record = keys.record("*").pk;
  // Also of the watch: it has no alias.
  const refusals = keys.refusals("*").pk;
  return [
    // Lambda's pollers use the role (developer guide, services-sqs-configure).
    allow(
      "ReadQueue",
      ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
      [queueArn],
    ),
    allow("ReadState", ["dynamodb:GetItem"], [tableArn], onPartitions([binding, record, refusals])),
    allow("StoreRefusedUses", ["dynamodb:PutItem"], [tableArn], onPartitions([refusals])),
  ];
}
