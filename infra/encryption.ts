/** Customer managed keys for the log groups and the queues, and the rights that this takes. */
import { Annotations, ArnFormat, CfnResource, RemovalPolicy, Stack, TagManager } from "aws-cdk-lib";
import * as iam from "aws-cdk-lib/aws-iam";
import type * as kms from "aws-cdk-lib/aws-kms";
import * as logs from "aws-cdk-lib/aws-logs";
import * as sqs from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { tagNames } from "../lambda/workflow/model/tag-names.ts";
import type { KeyRotationProps } from "./key-rotation-props.ts";
import { nameOf, targetOf, type Managed } from "./managed-alias.ts";
import { allow } from "./permissions.ts";

type Props = Pick<KeyRotationProps, "logEncryptionKey" | "queueEncryptionKey">;

/** Each key with the name of its field. */
function named({ logEncryptionKey, queueEncryptionKey }: Props): [name: string, key: kms.IKey][] {
  return Object.entries({ logEncryptionKey, queueEncryptionKey }).flatMap(([name, key]) =>
    key === undefined ? [] : [[name, key] as [string, kms.IKey]],
  );
}

/** Lets the services use the keys, or warns where the app cannot. */
export function admitServices(
  scope: Construct,
  { logEncryptionKey, queueEncryptionKey }: Props,
): void {
  if (logEncryptionKey !== undefined) {
    admit(scope, "logEncryptionKey", logEncryptionKey, "CloudWatch Logs", logsStatement(scope));
  }
  if (queueEncryptionKey !== undefined) {
    admit(scope, "queueEncryptionKey", queueEncryptionKey, "EventBridge", eventsStatement(scope));
  }
}

/**
 * CloudWatch Logs user guide, encrypt-log-data-kms. The log groups use the key, and so its policy cannot name them:
 * it allows those of the account and the Region.
 */
function logsStatement(scope: Construct): iam.PolicyStatement {
  const stack = Stack.of(scope);
  const logGroups = stack.formatArn({
    service: "logs",
    resource: "log-group",
    resourceName: "*",
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return new iam.PolicyStatement({
    sid: "CloudWatchLogsEncrypts",
    principals: [new iam.ServicePrincipal(`logs.${stack.region}.${stack.urlSuffix}`)],
    actions: [
      "kms:Decrypt*",
      "kms:Describe*",
      "kms:Encrypt*",
      "kms:GenerateDataKey*",
      "kms:ReEncrypt*",
    ],
    resources: ["*"],
    conditions: { ArnLike: { "kms:EncryptionContext:aws:logs:arn": logGroups } },
  });
}

/** EventBridge sends undelivered events to the dead-letter queue, and refused uses to theirs (SQS guide, sqs-key-management). */
function eventsStatement(scope: Construct): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: "EventBridgeSends",
    principals: [new iam.ServicePrincipal("events.amazonaws.com")],
    actions: ["kms:Decrypt", "kms:GenerateDataKey"],
    resources: ["*"],
    conditions: { StringEquals: { "aws:SourceAccount": Stack.of(scope).account } },
  });
}

function admit(
  scope: Construct,
  name: string,
  key: kms.IKey,
  service: string,
  statement: iam.PolicyStatement,
): void {
  if (key.addToResourcePolicy(statement).statementAdded) return;
  Annotations.of(scope).addWarningV2(
    `keyturn:${name}`,
    `${name}: the app cannot change the key policy of ${key.node.path}, which must allow ${service} ${statement.actions.join(", ")}: docs/deployment.md has the statement`,
  );
}

/** It has every transition, and outlives the stack. */
export function createLogGroup(
  scope: Construct,
  {
    logRetention,
    logEncryptionKey,
  }: { logRetention: logs.RetentionDays; logEncryptionKey: kms.IKey | undefined },
): logs.LogGroup {
  return new logs.LogGroup(scope, "Log", {
    retention: logRetention,
    removalPolicy: RemovalPolicy.RETAIN,
    ...(logEncryptionKey === undefined ? {} : { encryptionKey: logEncryptionKey }),
  });
}

/** SQS's own key by default. */
export function queueEncryption(key: kms.IKey | undefined): Partial<sqs.QueueProps> {
  if (key === undefined) return { encryption: sqs.QueueEncryption.SQS_MANAGED };
  return { encryption: sqs.QueueEncryption.KMS, encryptionMasterKey: key };
}

/**
 * For a queue that is the target of a rule. Where CDK knows its key, it leaves the rule out of the queue's policy, and
 * allows EventBridge more than it needs on the key.
 */
export function encryptTarget(queue: sqs.Queue, key: kms.IKey | undefined): void {
  if (key === undefined) return;
  const resource = queue.node.defaultChild as sqs.CfnQueue;
  resource.kmsMasterKeyId = key.keyArn;
  resource.sqsManagedSseEnabled = undefined;
}

/** A role's right to use the queues' key, in no way but through SQS. */
export function queueKeyStatements(
  scope: Construct,
  key: kms.IKey | undefined,
  actions: string[],
): iam.PolicyStatement[] {
  if (key === undefined) return [];
  const { region, urlSuffix } = Stack.of(scope);
  const viaSqs = { StringEquals: { "kms:ViaService": `sqs.${region}.${urlSuffix}` } };
  return [allow("UseQueueKey", actions, [key.keyArn], viaSqs)];
}

/** A deployment, and what it manages. */
type Deployment = { scope: Construct; managed: Managed[] };

const lost = "a retired version is disabled or deleted, and what it encrypts is then unreadable";

/** keyturn disables or deletes the versions of a managed key. `all`: the deployments of the app. */
export function whyUnfitKeys(props: Props, all: Deployment[]): string[] {
  return named(props).flatMap(([name, key]) => whyUnfit(key, all).map((why) => `${name}: ${why}`));
}

function whyUnfit(key: kms.IKey, all: Deployment[]): string[] {
  const { path, defaultChild: resource } = key.node;
  if ("aliasName" in key) {
    return [`${path} is an alias, expected a key: CloudWatch Logs and IAM name keys by their ARN`];
  }
  if (!(resource instanceof CfnResource)) return [];
  const tags = TagManager.of(resource)?.tagValues() ?? {};
  const isTagged = tagNames.policy in tags;
  const byTag = `${path} has the tag ${tagNames.policy}, by which keyturn may manage it: ${lost}`;
  const byAlias = all.flatMap(({ scope, managed }) =>
    managed
      .filter(({ alias }) => targetOf(alias) === resource)
      .map(({ alias }) => {
        const name = nameOf(scope, alias) ?? "an alias";
        return `${path} is the key of ${name}, which ${scope.node.path} manages: ${lost}`;
      }),
  );
  return isTagged ? [...byAlias, byTag] : byAlias;
}
