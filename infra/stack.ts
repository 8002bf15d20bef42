import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { KeyRotation, type KeyRotationProps } from "./key-rotation.ts";

export interface KeyRotationStackProps extends StackProps, KeyRotationProps {}

/** A stack of nothing but a `KeyRotation`, for those who want the plain `npx cdk deploy`. */
export class KeyRotationStack extends Stack {
  readonly rotation: KeyRotation;

  constructor(scope: Construct, id: string, props: KeyRotationStackProps) {
    super(scope, id, props);
    this.rotation = new KeyRotation(this, "KeyRotation", props);
    new CfnOutput(this, "TableName", { value: this.rotation.table.tableName });
    new CfnOutput(this, "FunctionName", { value: this.rotation.function.functionName });
    new CfnOutput(this, "DeadLetterQueueUrl", { value: this.rotation.deadLetterQueue.queueUrl });
  }
}
