/**
 * A page of the due index has a managed key several times if the key is due and requests for it
 * wait. The deployed function still makes one pass over it, even if KMS answers slowly.
 */
import type { Context } from "aws-lambda";
import { expect, onTestFinished, test, vi } from "vitest";
import { createState } from "../../lambda/aws/dynamodb-reading.ts";
import { readConfiguration } from "../../lambda/configuration/configuration.ts";
import { createFunction } from "../../lambda/function.ts";
import type { Call } from "../../lambda/workflow/model/types.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import { cheapCryptography } from "../../embedded-aws/kms/cheap-cryptography.ts";
import { startEmbeddedAws } from "../../embedded-aws/embedded-aws.ts";
import { SimRandom } from "../../embedded-aws/random.ts";
import { sdkConfig } from "../contract/sides.ts";
import { dayMs, minuteMs } from "../fixtures.ts";

const orders = "alias/orders";
const tableName = "keyturn";
const operator = { principalArn: "arn:aws:iam::000000000000:user/operator" };
const slowMs = 80;

const configuration = readConfiguration(
  JSON.stringify({
    owner: "acme",
    policies: {
      hasty: {
        cryptoperiod: "30d",
        drain: { atLeast: "1d", quietFor: "1d" },
        soak: "1d",
        retire: "delete",
      },
    },
    managedKeys: [{ alias: orders, policy: "hasty" }],
  }),
);

/** The deployed function, on an AWS in which one operation answers slowly. */
async function aDeployment(slow: Call["kind"]) {
  const clock = new SimClock({ startMs: Date.UTC(2027, 0, 1) });
  const aws = await startEmbeddedAws({ clock, quotas: "off", cryptography: cheapCryptography });
  onTestFinished(() => aws.close());
  for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  await aws.createStateTable(tableName);
  const made = aws.kms.call("CreateKey", {}, operator) as { KeyMetadata: { KeyId: string } };
  const target = { AliasName: orders, TargetKeyId: made.KeyMetadata.KeyId };
  aws.kms.call("CreateAlias", target, operator);
  aws.fault = (service, operation) =>
    service === "kms" && operation === slow ? { kind: "delay", ms: slowMs } : undefined;

  // The logger then writes to the console, where the test reads it.
  vi.stubEnv("POWERTOOLS_DEV", "true");
  const log: string[] = [];
  for (const level of ["log", "info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((line) => void log.push(String(line)));
  }
  onTestFinished(() => void vi.restoreAllMocks());
  const random = new SimRandom(1);
  const handler = createFunction(
    {
      tableName,
      eventBusName: "default",
      discovery: "tagging",
      quotaShare: 1,
      drainWatch: "none",
      configuration,
    },
    {
      clock: { nowMs: () => clock.nowMs(), sleep: () => Promise.resolve() },
      chance: { next: () => random.next(), id: () => random.uuid() },
    },
  );
  const context = {
    functionName: "keyturn",
    memoryLimitInMB: "512",
    invokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:keyturn",
    awsRequestId: "request",
    getRemainingTimeInMillis: () => 5 * minuteMs,
  } as Context;
  const state = createState(tableName, sdkConfig(aws.endpoint));
  return { aws, clock, log, state, run: () => handler({}, context) };
}

test.each(["CreateKey", "UpdateAlias", "DisableKey", "ScheduleKeyDeletion"] as const)(
  "completes a rotation with a slow %s and with requests waiting at every due time",
  async (slow) => {
    const { aws, clock, log, state, run } = await aDeployment(slow);
    await run();
    for (let tick = 0; tick < 60 && clock.nowMs() < Date.UTC(2027, 1, 10); tick++) {
      // Rejected, since nothing is on hold. With two, a page has the alias three times.
      for (const one of ["a", "b"]) {
        await state.ask(orders, `request-${tick}-${one}`, { kind: "resume", by: "ada" });
      }
      await run();
      const { record } = (await state.read(orders)) ?? {};
      clock.moveTo(Math.max(clock.nowMs() + minuteMs, record?.dueAtMs ?? 0));
    }
    const { record } = (await state.read(orders)) ?? {};
    expect(
      record?.findings.map(({ code }) => code).filter((c) => c !== "REQUEST_REJECTED"),
    ).toEqual([]);
    expect(log.some((line) => line.includes("deletion-scheduled"))).toBe(true);
    expect(log.filter((line) => line.includes("another run took over"))).toEqual([]);
    const changes = Object.entries(aws.calls().kms).filter(([name]) =>
      ["CreateKey", "UpdateAlias", "DisableKey", "ScheduleKeyDeletion"].includes(name),
    );
    expect(Object.fromEntries(changes)).toEqual({
      CreateKey: 1,
      UpdateAlias: 1,
      DisableKey: 1,
      ScheduleKeyDeletion: 1,
    });
    expect(record?.versions.map(({ number, state }) => `${number} ${state}`)).toEqual([
      "1 pending-deletion",
      "2 active",
    ]);
    expect(clock.nowMs()).toBeGreaterThan(Date.UTC(2027, 0, 1) + 25 * dayMs);
  },
);
