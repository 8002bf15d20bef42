/** A dependent on the emulator: a queue that a rule of the default bus fills with keyturn's events. */
import { EventBridge } from "@aws-sdk/client-eventbridge";
import { onTestFinished } from "vitest";
import type { JournalEntry } from "../../lambda/ports.ts";
import type { EmulatorSdk } from "./run.ts";
import { askJson } from "./service.ts";

type Message = { Body: string; ReceiptHandle: string };

/** Listens from now on; the returned function reads the journal lines in order of arrival. */
export async function listen(
  sdk: EmulatorSdk,
  accountId: string,
): Promise<() => Promise<JournalEntry[]>> {
  const sqs = <T>(operation: string, input: object): Promise<T> =>
    askJson<T>(sdk, "sqs", `AmazonSQS.${operation}`, input);
  const name = `keyturn-test-${accountId}`;
  const { QueueUrl } = await sqs<{ QueueUrl: string }>("CreateQueue", { QueueName: name });
  const bus = new EventBridge(sdk);
  onTestFinished(async () => {
    await bus.removeTargets({ Rule: name, Ids: ["queue"] });
    await bus.deleteRule({ Name: name });
    await sqs("DeleteQueue", { QueueUrl });
    bus.destroy();
  });
  await bus.putRule({ Name: name, EventPattern: JSON.stringify({ source: ["keyturn"] }) });
  const Arn = `arn:aws:sqs:${sdk.region}:${accountId}:${name}`;
  await bus.putTargets({ Rule: name, Targets: [{ Id: "queue", Arn }] });

  return async () => {
    const received: JournalEntry[] = [];
    for (;;) {
      const input = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 };
      const { Messages = [] } = await sqs<{ Messages?: Message[] }>("ReceiveMessage", input);
      if (Messages.length === 0) return received;
      for (const { Body, ReceiptHandle } of Messages) {
        received.push((JSON.parse(Body) as { detail: JournalEntry }).detail);
        await sqs("DeleteMessage", { QueueUrl, ReceiptHandle });
      }
    }
  };
}
