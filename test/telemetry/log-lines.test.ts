/** The log lines of telemetry, as Powertools' Logger prints them. */
import { Logger } from "@aws-lambda-powertools/logger";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { LogFields } from "../../lambda/telemetry/log-line.ts";
import { createMetrics, createTelemetry } from "../../lambda/telemetry/powertools.ts";
import type { Telemetry } from "../../lambda/telemetry/telemetry.ts";
import { finding } from "../../lambda/workflow/model/findings.ts";
import { newManagedKey } from "../../lambda/workflow/model/record.ts";
import { aHome } from "../fixtures.ts";

const written: Record<string, unknown>[] = [];
let telemetry: Telemetry;

beforeEach(() => {
  written.length = 0;
  // The run's metrics are lines of EMF, not of the log.
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  const logger = new Logger({ serviceName: "keyturn", logLevel: "DEBUG" });
  const write = (line: string): void =>
    void written.push(JSON.parse(line) as Record<string, unknown>);
  Object.assign(logger, { console: { debug: write, info: write, warn: write, error: write } });
  telemetry = createTelemetry(logger, createMetrics("keyturn"));
});

afterEach(() => {
  vi.restoreAllMocks();
});

const call = { alias: "alias/orders", call: "DisableKey", reason: "drained" };

describe("the log line of a changing call has its text and KMS's answer", () => {
  test("if KMS refused it", () => {
    const message = "User: keyturn is not authorized to perform: kms:DisableKey";
    telemetry.refused({ ...call, refusal: "AccessDenied", message });
    expect(written).toEqual([
      expect.objectContaining({
        level: "WARN",
        message: "call refused",
        ...call,
        refusal: "AccessDenied",
        answer: message,
      }),
    ]);
  });

  test("if no answer came", () => {
    telemetry.unanswered({ ...call, message: "socket hang up" });
    expect(written).toEqual([
      expect.objectContaining({
        level: "WARN",
        message: "call unanswered",
        ...call,
        answer: "socket hang up",
      }),
    ]);
  });
});

test("Powertools drops no field of any log line", () => {
  const entry = { alias: "", revision: 1, atMs: 0, epoch: 0, event: "opened", reason: "due" };
  const hashes = { previousHash: "", hash: "" };
  const record = {
    ...newManagedKey({ owner: "acme", tableId: "" }, aHome(), "configuration", 0),
    enrolledAtMs: 0,
  };
  const rested = {
    halted: false,
    stuck: false,
    lockedOut: false,
    endangered: false,
    tries: 0,
    dueAtMs: 0,
    overdueMs: 0,
    waitingFor: "",
  };
  const reports: { [name in keyof Telemetry]: () => void } = {
    transition: () =>
      telemetry.transition({
        record,
        journalHead: "",
        outbox: [{ ...entry, ...hashes, step: "generate", rotationId: "", detail: {} }],
        writes: 0,
      }),
    refused: () => telemetry.refused({ ...call, refusal: "Throttled", message: "Rate exceeded" }),
    unanswered: () => telemetry.unanswered({ ...call, message: "socket hang up" }),
    finding: () => telemetry.finding("a", finding("ALIAS_MOVED", "a", "observed", "next", 0)),
    failed: () => telemetry.failed("alias/orders", new Error("no answer")),
    rested: () => telemetry.rested({ alias: "alias/orders", ...rested }),
    census: () => telemetry.census([record]),
    answered: () => telemetry.answered({ keyId: "k", eventId: "e", outcome: "known" }),
    changed: () =>
      telemetry.changed({
        ...{ alias: "a", outcome: "due", operation: "DisableKey", principal: "p" },
        ...{ eventId: "e", keyIds: ["k"] },
      }),
    ignored: () => telemetry.ignored("no event of CloudTrail"),
    run: () =>
      telemetry.run({ outcome: "worked", passes: 1, failed: 0, outOfTime: false, durationMs: 1 }),
  };
  for (const report of Object.values(reports)) report();
  // The Logger warns in a line of its own about a field with a reserved name.
  expect(written.filter(({ message }) => /reserved/.test(String(message)))).toEqual([]);
  expect(written).toHaveLength(Object.keys(reports).length);
});

test("the compiler rejects a field with a reserved name", () => {
  // @ts-expect-error: Powertools would drop it.
  const dropped: LogFields = { message: "the message of KMS" };
  // @ts-expect-error: it would replace the error that Powertools writes.
  const replaced: LogFields = { error: "the message of KMS" };
  const kept: LogFields = { answer: "the message of KMS" };
  expect([dropped, replaced, kept]).toHaveLength(3);
});
