/** The deployed function on the embedded AWS: one managed key, and a clock that only the test moves. */
import type { Context } from "aws-lambda";
import { onTestFinished, vi } from "vitest";
import { createState } from "../../lambda/aws/dynamodb-reading.ts";
import { readConfiguration } from "../../lambda/configuration/configuration.ts";
import { createFunction } from "../../lambda/function.ts";
import { createRefusalsFunction } from "../../lambda/refusals/function.ts";
import type { DrainWatch } from "../../lambda/workflow/model/types.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import { cheapCryptography } from "../../embedded-aws/kms/cheap-cryptography.ts";
import { startEmbeddedAws } from "../../embedded-aws/embedded-aws.ts";
import { SimRandom } from "../../embedded-aws/random.ts";
import { sdkConfig } from "../contract/sides.ts";
import { minuteMs } from "../fixtures.ts";
import { Trail } from "../histories/refused-trail.ts";

export const orders = "alias/orders";
export const tableName = "keyturn";
export const roleName = "keyturn-role";
const operator = { principalArn: "arn:aws:iam::000000000000:user/operator" };

/** Version 2 is active from day 8 on; version 1 drains for two days, and soaks for one. */
export const brief = {
  cryptoperiod: "10d",
  lead: "2d",
  drain: { atLeast: "2d", quietFor: "1d" },
  soak: "1d",
  retire: "disable",
};

export type Deployed = Awaited<ReturnType<typeof aDeployment>>;

/**
 * `sleeps`: whether a wait of the function takes time. `refusalsWatch`: whether the queue of refused uses is there,
 * and a trail; `passUntil` then delivers its events.
 */
type More = { refusalsWatch?: DrainWatch; acceptedRefusals?: object[]; sleeps?: boolean };

/** `policy`: the one policy of the configuration; `key`: further input of CreateKey. */
export async function aDeployment(policy: object, key: object = {}, more: More = {}) {
  const clock = new SimClock({ startMs: Date.UTC(2027, 0, 1) });
  const aws = await startEmbeddedAws({ clock, quotas: "off", cryptography: cheapCryptography });
  onTestFinished(() => aws.close());
  for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  await aws.createStateTable(tableName);
  const ask = <T = Record<string, unknown>>(operation: string, input: object, by = operator): T =>
    aws.kms.call(operation, input, by) as T;
  const made = ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", key);
  const first = made.KeyMetadata.KeyId;
  ask("CreateAlias", { AliasName: orders, TargetKeyId: first });

  // The logger then writes to the console, where the test reads it.
  vi.stubEnv("POWERTOOLS_DEV", "true");
  const log: string[] = [];
  for (const level of ["log", "info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((line) => void log.push(String(line)));
  }
  onTestFinished(() => void vi.restoreAllMocks());
  const random = new SimRandom(1);
  const managedKeys = [{ alias: orders, policy: "one" }];
  const { refusalsWatch = "none", acceptedRefusals = [], sleeps = false } = more;
  const sleep = (ms: number) => Promise.resolve(sleeps ? clock.advance(ms) : undefined);
  const document = { owner: "acme", policies: { one: policy }, managedKeys, acceptedRefusals };
  const handler = createFunction(
    {
      tableName,
      eventBusName: "default",
      discovery: "tagging",
      quotaShare: 1,
      drainWatch: "none",
      refusalsWatch,
      roleName,
      configuration: readConfiguration(JSON.stringify(document)),
    },
    {
      clock: { nowMs: () => clock.nowMs(), sleep },
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
  const collector = createRefusalsFunction(
    { tableName, roleName, aliases: {}, acceptedRefusals: [] },
    () => clock.nowMs(),
  );
  /** One batch of the queue of refused uses. */
  const collect = (...events: unknown[]) => collectBodies(events.map((one) => JSON.stringify(one)));
  /** The same, of events as JSON. */
  const collectBodies = (bodies: string[]) => collectEvent({ Records: bodies.map(messageOf) });
  const collectEvent = (event: unknown) => collector(event, context);
  const trail = new Trail(aws, (events) => collect(...events));
  trail.isOn = refusalsWatch !== "none";
  const state = createState(tableName, sdkConfig(aws.endpoint));
  const record = async () => (await state.read(orders))?.record;
  return {
    ...{ aws, clock, log, state, first, ask, record },
    ...{ collect, collectBodies, collectEvent },
    deliverRefused: () => trail.deliver(),
    trailOff: () => void (trail.isOn = false),
    trailOn: () => void (trail.isOn = true),
    run: () => handler({}, context),
    /** CloudTrail's event of a refused call. */
    deliver: (event: unknown) => handler(event, context),
    /** Runs whenever the managed key is due, until a moment. */
    passUntil: async (untilMs: number, afterRun: () => Promise<void> = async () => {}) => {
      for (;;) {
        await handler({}, context);
        await afterRun();
        await trail.deliver();
        const dueMs = Math.max((await record())?.dueAtMs ?? 0, clock.nowMs() + minuteMs);
        clock.moveTo(Math.min(dueMs, untilMs));
        if (dueMs >= untilMs) return;
      }
    },
  };
}

function messageOf(body: string, index: number): { messageId: string; body: string } {
  return { messageId: `message-${index}`, body };
}
