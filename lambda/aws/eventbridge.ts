/** Publishes the journal: one EventBridge event for each line, `source: keyturn`. */
import {
  EventBridgeClient,
  PutEventsCommand,
  type EventBridgeClientConfig,
  type PutEventsRequestEntry,
} from "@aws-sdk/client-eventbridge";
import { describeError, RotationError } from "../errors.ts";
import type { Events, JournalEntry } from "../ports.ts";

/** EventBridge takes ten entries in one request (API reference, PutEvents). */
const entriesPerRequest = 10;

export function createEvents(busName: string, config: EventBridgeClientConfig = {}): Events {
  const client = new EventBridgeClient(config);
  return {
    async publish(entries) {
      for (let from = 0; from < entries.length; from += entriesPerRequest) {
        const batch = entries.slice(from, from + entriesPerRequest);
        await put(
          client,
          batch.map((entry) => eventOf(entry, busName)),
        );
      }
    },
  };
}

/** `detail-type` is the event's name, for rules to match; `detail` is the stored line. */
function eventOf(entry: JournalEntry, busName: string): PutEventsRequestEntry {
  return {
    EventBusName: busName,
    Source: "keyturn",
    DetailType: `Rotation ${entry.event}`,
    Time: new Date(entry.atMs),
    Detail: JSON.stringify(entry),
  };
}

async function put(client: EventBridgeClient, Entries: PutEventsRequestEntry[]): Promise<void> {
  try {
    const { FailedEntryCount, Entries: answers } = await client.send(
      new PutEventsCommand({ Entries }),
    );
    if ((FailedEntryCount ?? 0) === 0) return;
    const first = answers?.find(({ ErrorCode }) => ErrorCode !== undefined);
    throw new Error(`${FailedEntryCount} of ${Entries.length} failed: ${first?.ErrorMessage}`);
  } catch (error) {
    throw new RotationError("EVENTS_FAILED", describeError(error), error);
  }
}
