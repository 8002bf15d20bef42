/**
 * How Lambda takes messages from a standard SQS queue and invokes a function: each poller gathers a batch until
 * it has as many messages as the event source allows, or as many bytes, or its time is over (Lambda developer
 * guide, invocation-eventsourcemapping; with five pollers a queue starts, services-sqs-scaling).
 */
export type EventSource = {
  batchSize: number;
  windowSeconds: number;
  payloadBytes: number;
  pollers: number;
};

/** Of the construct, in `infra/refused-uses.ts`; 6 MB is Lambda's own limit. */
export const eventSource: EventSource = {
  batchSize: 10_000,
  windowSeconds: 20,
  payloadBytes: 6 * 1024 * 1024,
  pollers: 5,
};

/** A message as the function gets it, as JSON. */
export type QueuedMessage = { json: string; bytes: number };

/** The members that SQS adds to a body; the receipt handle is the longest. */
export function queued(body: string, number: number): QueuedMessage {
  const messageId = `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  const json = JSON.stringify({
    messageId,
    receiptHandle: "AQEB".repeat(110),
    body,
    attributes: {
      ApproximateReceiveCount: "1",
      AWSTraceHeader: "Root=1-67a1b2c3-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0",
      SentTimestamp: "1798761600000",
      SenderId: "AIDAEXAMPLEEXAMPLE123",
      ApproximateFirstReceiveTimestamp: "1798761600001",
    },
    messageAttributes: {},
    md5OfBody: "e4e68fb7bd0e697a0ae8f1bb342846b3",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:keyturn-RefusedUsesQueue-EXAMPLE",
    awsRegion: "us-east-1",
  });
  return { json, bytes: Buffer.byteLength(json) + 1 };
}

type Poller = { since: number; messages: string[]; bytes: number };

/** `arriving`: the messages of one second, for as many seconds. Invokes with the payload of each batch. */
export async function poll(
  source: EventSource,
  seconds: number,
  arriving: (second: number) => QueuedMessage[],
  invoke: (payload: string, second: number) => Promise<void>,
): Promise<void> {
  const pollers = Array.from({ length: source.pollers }, (_, index): Poller => {
    // They do not begin at the same moment.
    return { since: -Math.floor((index * source.windowSeconds) / source.pollers), ...empty() };
  });
  const send = async (poller: Poller, second: number, since = second): Promise<void> => {
    const payload = `{"Records":[${poller.messages.join()}]}`;
    const isEmpty = poller.messages.length === 0;
    Object.assign(poller, { since, ...empty() });
    if (!isEmpty) await invoke(payload, second);
  };
  for (let second = 0; second < seconds; second++) {
    for (const [index, { json, bytes }] of arriving(second).entries()) {
      const poller = pollers[index % pollers.length];
      if (poller === undefined) throw new Error("no poller");
      if (poller.bytes + bytes > source.payloadBytes) await send(poller, second);
      poller.messages.push(json);
      poller.bytes += bytes;
      if (poller.messages.length >= source.batchSize) await send(poller, second);
    }
    for (const poller of pollers) {
      if (second + 1 - poller.since >= source.windowSeconds) await send(poller, second, second + 1);
    }
  }
  for (const poller of pollers) await send(poller, seconds);
}

const empty = (): Pick<Poller, "messages" | "bytes"> => ({ messages: [], bytes: 30 });
