/**
 * The deployed function in this process, on the emulator: its handler with the real adapters, and a
 * clock that jumps from each due item to the next. The emulator's clock hardly advances meanwhile.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KMS } from "@aws-sdk/client-kms";
import type { Context } from "aws-lambda";
import { inject, onTestFinished, vi } from "vitest";
import { createTable } from "../../lambda/aws/dynamodb.ts";
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";
import { readEnvironment } from "../../lambda/configuration/environment.ts";
import { createFunction, type Result } from "../../lambda/function.ts";
import type { Table } from "../../lambda/ports.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import { dayMs, minuteMs } from "../fixtures.ts";
import { deviationOf } from "./deviations.ts";
import { anAccount, type EmulatorSdk } from "./run.ts";
import { askKms } from "./sync-kms.ts";
import { anEmulatedTable } from "./table.ts";

export type Deployment = {
  accountId: string;
  sdk: EmulatorSdk;
  kms: KMS;
  table: Table;
  tableName: string;
  nowMs: () => number;
  run: () => Promise<Result>;
  /** Runs whenever an item is due, until the condition holds; throws if nothing more is due. */
  runUntil: (alias: string, isSo: (record: ManagedKey) => boolean) => Promise<ManagedKey>;
};

/** The longest wait in these tests' policies is the deletion window, by KMS's clock. */
const patienceMs = 5 * dayMs;

export async function aDeployment(document: ConfigurationDocument): Promise<Deployment> {
  const { accountId, sdk } = anAccount();
  const folder = mkdtempSync(join(tmpdir(), "keyturn-emulator-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  onTestFinished(() => askKms<undefined>(sdk, "clear"));
  const { tableName } = await anEmulatedTable(sdk);
  const config = join(folder, "config.json");
  writeFileSync(config, JSON.stringify(document));
  // The environment that Lambda gives a function; the adapters read nothing else.
  vi.stubEnv("AWS_REGION", sdk.region);
  vi.stubEnv("AWS_ACCESS_KEY_ID", accountId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "any");
  vi.stubEnv("POWERTOOLS_LOG_LEVEL", "SILENT");
  vi.stubEnv("POWERTOOLS_METRICS_DISABLED", "true");
  onTestFinished(() => void vi.unstubAllEnvs());
  const untagged = deviationOf(inject("emulator"), "through the tagging API") !== undefined;
  const environment = readEnvironment({
    KEYTURN_TABLE: tableName,
    KEYTURN_CONFIG: config,
    KEYTURN_DISCOVERY: untagged ? "walk" : "tagging",
  });

  const clock = new SimClock({ startMs: Date.now() });
  const runClock = {
    nowMs: () => clock.nowMs(),
    sleep: async (ms: number) => clock.advance(Math.ceil(ms)),
  };
  const chance = { next: () => 0.5, id: () => crypto.randomUUID() };
  const handler = createFunction(environment, { clock: runClock, chance });
  const context = {
    functionName: "keyturn",
    memoryLimitInMB: "512",
    invokedFunctionArn: `arn:aws:lambda:${sdk.region}:${accountId}:function:keyturn`,
    awsRequestId: "request",
    getRemainingTimeInMillis: () => 5 * minuteMs,
  } as Context;
  const table = createTable(tableName, sdk);
  const run = (): Promise<Result> => handler({}, context);

  const runUntil: Deployment["runUntil"] = async (alias, isSo) => {
    const endMs = clock.nowMs() + patienceMs;
    for (;;) {
      const stored = await table.read(alias);
      if (stored !== undefined && isSo(stored.record)) return stored.record;
      const { items } = await table.due(endMs, 100);
      const dueMs = items.flatMap((item) => ("dueAtMs" in item ? [item.dueAtMs] : []));
      const nextMs = stored === undefined ? 0 : Math.min(...dueMs);
      if (Math.max(nextMs, clock.nowMs()) > endMs) {
        throw new Error(`nothing more is due: ${JSON.stringify(stored?.record, undefined, 1)}`);
      }
      clock.moveTo(Math.max(nextMs, clock.nowMs() + minuteMs));
      await run();
    }
  };
  const kms = new KMS(sdk);
  onTestFinished(() => kms.destroy());
  return { accountId, sdk, kms, table, tableName, nowMs: () => clock.nowMs(), run, runUntil };
}
