import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import {
  type ConfigurationDocument,
  parseConfiguration,
} from "../lambda/configuration/configuration.ts";
import { KeyRotation } from "./key-rotation.ts";
import type { KeyRotationProps } from "./key-rotation-props.ts";
import { policyOf } from "./rotation-policy.ts";

type InConfiguration = "policies" | "owner" | "mode" | "taggedAliases" | "acceptedRefusals";
/** The stack has a boundary of its own, which CDK applies. */
type OfStack = "permissionsBoundary";
type OfRotation = Omit<KeyRotationProps, InConfiguration | OfStack>;

export interface KeyRotationStackProps extends StackProps, OfRotation {
  /** The owner, the policies and the managed keys: see docs/policies.md. */
  readonly configuration: ConfigurationDocument;
}

/** A stack with only a `KeyRotation`, for a plain `npx cdk deploy`. */
export class KeyRotationStack extends Stack {
  readonly rotation: KeyRotation;

  /** Throws a ConfigurationError if the configuration is invalid. */
  constructor(scope: Construct, id: string, props: KeyRotationStackProps) {
    super(scope, id, props);
    const { configuration, permissionsBoundary: _, ...others } = props;
    const { owner, mode, managedKeys, acceptedRefusals } = parseConfiguration(configuration);
    const policies = Object.fromEntries(
      Object.entries(configuration.policies).map(([name, policy]) => [name, policyOf(policy)]),
    );
    // Not every alias, the function's default for a document without them: the role needs the
    // names.
    const { taggedAliases = [] } = configuration;
    const settings = { owner, mode, policies, taggedAliases, acceptedRefusals };
    this.rotation = new KeyRotation(this, "KeyRotation", { ...others, ...settings });
    for (const { alias, aliases, policy, dependents } of managedKeys) {
      this.rotation.manage(alias, policy, { aliases: aliases.slice(1), dependents });
    }
    new CfnOutput(this, "TableName", { value: this.rotation.table.tableName });
    new CfnOutput(this, "FunctionName", { value: this.rotation.function.functionName });
    new CfnOutput(this, "DeadLetterQueueUrl", { value: this.rotation.deadLetterQueue.queueUrl });
  }
}
