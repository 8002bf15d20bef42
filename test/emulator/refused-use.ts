/** A refused use, and what the emulator's rules and queues do with it. */
import { EventBridge } from "@aws-sdk/client-eventbridge";
import { hourMs } from "../fixtures.ts";
import type { EmulatorSdk } from "./run.ts";
import { askJson } from "./service.ts";

/**
 * CloudTrail's event of a Decrypt that KMS denied on this key, as EventBridge delivers it: an hour
 * ago, because a denial in the first minutes of a version is no need.
 */
export function refusedUse(account: string, region: string, keyId: string): object {
  const arn = `arn:aws:iam::${account}:user/reader`;
  const key = `arn:aws:kms:${region}:${account}:key/${keyId}`;
  const time = `${new Date(Date.now() - hourMs).toISOString().slice(0, 19)}Z`;
  return {
    version: "0",
    id: "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "AWS API Call via CloudTrail",
    source: "aws.kms",
    account,
    time,
    region,
    resources: [],
    detail: {
      userIdentity: { type: "IAMUser", arn, accountId: account },
      eventTime: time,
      eventSource: "kms.amazonaws.com",
      eventName: "Decrypt",
      errorCode: "AccessDenied",
      errorMessage: `User: ${arn} is not authorized to perform: kms:Decrypt on resource: ${key} because no identity-based policy allows the kms:Decrypt action`,
      requestParameters: null,
    },
  };
}

/** Whether the emulator's matching accepts the event for the deployed rule. */
export async function isForRule(sdk: EmulatorSdk, name: string, event: object): Promise<boolean> {
  const bus = new EventBridge(sdk);
  try {
    const { EventPattern } = await bus.describeRule({ Name: name });
    const { Result } = await bus.testEventPattern({ EventPattern, Event: JSON.stringify(event) });
    return Result === true;
  } finally {
    bus.destroy();
  }
}

/** The messages in a queue, also those that the second function has at the time. */
export async function messagesIn(sdk: EmulatorSdk, QueueUrl: string): Promise<number> {
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
  const { Attributes } = await askJson<{ Attributes: Record<string, string> }>(
    sdk,
    "sqs",
    "AmazonSQS.GetQueueAttributes",
    { QueueUrl, AttributeNames: names },
  );
  return names.reduce((sum, name) => sum + Number(Attributes[name]), 0);
}
