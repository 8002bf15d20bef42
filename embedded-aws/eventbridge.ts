/** EventBridge's PutEvents: accepts or rejects entries, and records the accepted ones. */
import { AwsError } from "./http/aws-error.ts";
import { list, readInput, structure, text, type Read } from "./http/shape.ts";
import type { SimRandom } from "./random.ts";

export type RecordedEvent = {
  id: string;
  atMs: number;
  source: string;
  detailType: string;
  detail: unknown;
  busName: string;
  resources: string[];
};

const maxBytes = 256 * 1024;
const anyNumber = { read: (value: unknown) => value };

const entryShape = structure(
  {},
  {
    Time: anyNumber,
    Source: text(),
    Resources: list(text()),
    DetailType: text(),
    Detail: text(),
    EventBusName: text({ min: 1, max: 1600 }),
    TraceHeader: text({ min: 1, max: 500 }),
  },
);

const putEventsShape = structure(
  { Entries: list(entryShape, { min: 1, max: 10 }) },
  { EndpointId: text({ min: 1, max: 50 }) },
);

type Entry = Read<typeof entryShape>;

export class EventRecorder {
  readonly events: RecordedEvent[] = [];
  readonly #clock: { nowMs(): number };
  readonly #random: SimRandom;

  constructor(clock: { nowMs(): number }, random: SimRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  call(operation: string, input: unknown): unknown {
    if (operation !== "PutEvents") throw new AwsError("UnknownOperationException", "");
    const { Entries: entries } = readInput(putEventsShape, input);
    const bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
    if (bytes > maxBytes) {
      const message = `Total size of the entries in the request is over the limit.`;
      throw new AwsError("ValidationException", message);
    }
    const results = entries.map((entry) => this.#put(entry));
    const failed = results.filter((result) => "ErrorCode" in result);
    return { FailedEntryCount: failed.length, Entries: results };
  }

  /** An invalid entry fails alone; the others are accepted. */
  #put(entry: Entry) {
    const problem = problemOf(entry);
    if (problem !== undefined) return problem;
    const id = this.#random.uuid();
    this.events.push({
      id,
      atMs: this.#clock.nowMs(),
      source: entry.Source ?? "",
      detailType: entry.DetailType ?? "",
      detail: JSON.parse(entry.Detail ?? "{}"),
      busName: entry.EventBusName ?? "default",
      resources: entry.Resources ?? [],
    });
    return { EventId: id };
  }
}

function problemOf(entry: Entry): { ErrorCode: string; ErrorMessage: string } | undefined {
  for (const name of ["Source", "DetailType", "Detail"] as const) {
    if (entry[name] === undefined || entry[name] === "") {
      const message = `Parameter ${name} is not valid. Reason: ${name} is a required argument.`;
      return { ErrorCode: "InvalidArgument", ErrorMessage: message };
    }
  }
  if (/^aws\./.test(entry.Source ?? "")) {
    const message = "You do not have permission to perform this action.";
    return { ErrorCode: "NotAuthorizedForSourceException", ErrorMessage: message };
  }
  if (isJsonObject(entry.Detail ?? "")) return undefined;
  return { ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed." };
}

/** "Calculating Amazon EventBridge PutEvents event entry size" in the EventBridge User Guide. */
function sizeOf(entry: Entry): number {
  const texts = [entry.Source, entry.DetailType, entry.Detail, ...(entry.Resources ?? [])];
  const bytes = texts.reduce((sum, each) => sum + Buffer.byteLength(each ?? ""), 0);
  return bytes + (entry.Time === undefined ? 0 : 14);
}

function isJsonObject(detail: string): boolean {
  try {
    const parsed: unknown = JSON.parse(detail);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
  } catch {
    return false;
  }
}
