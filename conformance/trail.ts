/** CloudTrail's records of the calls of one conformance run, as samples that name nobody. */
import type { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { paginateLookupEvents } from "@aws-sdk/client-cloudtrail";

/** CloudTrail shows most records within five minutes, and all within a quarter of an hour. */
const patienceMs = 20 * 60_000;
const pauseMs = 30_000;

export type Sample = { eventName: string; errorCode?: string; record: unknown };

/** The JSON of each record of KMS since then. */
export type Lookup = (sinceMs: number) => Promise<string[]>;

/** The Region and the credentials of the environment. */
export function lookupIn(client: CloudTrailClient): Lookup {
  return async (sinceMs) => {
    const records: string[] = [];
    const input = {
      LookupAttributes: [
        { AttributeKey: "EventSource" as const, AttributeValue: "kms.amazonaws.com" },
      ],
      StartTime: new Date(sinceMs),
    };
    for await (const { Events = [] } of paginateLookupEvents({ client }, input)) {
      for (const { CloudTrailEvent = "" } of Events) records.push(CloudTrailEvent);
    }
    return records;
  };
}

/**
 * Waits until the records of these keys are the same twice, and returns one sample for each operation and
 * error. Records of other keys are no samples.
 */
export async function samplesOf(
  keyArns: readonly string[],
  sinceMs: number,
  lookup: Lookup,
  sleep: (ms: number) => Promise<void>,
): Promise<Sample[]> {
  let samples: Sample[] = [];
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += pauseMs) {
    await sleep(pauseMs);
    const before = samples.length;
    const own = (await lookup(sinceMs)).filter((text) => keyArns.some((arn) => text.includes(arn)));
    samples = onePerKind(own.map(anonymous));
    if (samples.length > 0 && samples.length === before && waitedMs >= patienceMs / 2) break;
  }
  return samples;
}

function onePerKind(records: Sample[]): Sample[] {
  const kinds = new Map<string, Sample>();
  for (const one of records) {
    const kind = `${one.eventName} ${one.errorCode ?? ""}`;
    if (!kinds.has(kind)) kinds.set(kind, one);
  }
  return [...kinds.values()];
}

type CloudTrailRecord = {
  eventName: string;
  errorCode?: string;
  recipientAccountId?: string;
  userIdentity?: { type?: string };
};

/** Without the account, the caller and its address. */
function anonymous(text: string): Sample {
  const { recipientAccountId } = JSON.parse(text) as CloudTrailRecord;
  const anywhere =
    recipientAccountId === undefined ? text : text.replaceAll(recipientAccountId, "111122223333");
  const record = JSON.parse(anywhere) as CloudTrailRecord;
  const { eventName, errorCode } = record;
  return {
    eventName,
    ...(errorCode === undefined ? {} : { errorCode }),
    record: {
      ...record,
      userIdentity: { type: record.userIdentity?.type ?? "unknown" },
      sourceIPAddress: "192.0.2.1",
      userAgent: "removed",
    },
  };
}
