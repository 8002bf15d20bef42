/** The events of uses that a key's state refuses, before the deployed function. */
import { describe, expect, test } from "vitest";
import { createTable } from "../../lambda/aws/dynamodb.ts";
import { isRecent, note, type Recent } from "../../lambda/run/recent.ts";
import { sdkConfig } from "../contract/sides.ts";
import { minuteMs } from "../fixtures.ts";
import { aDeployment, orders, tableName, type Deployed } from "./deployed.ts";

const secondMs = 1000;

const policy = {
  cryptoperiod: "30d",
  drain: { atLeast: "1d", quietFor: "1d" },
  soak: "7d",
  retire: "disable",
};
/** Version 1 drains from day 30 on, and is out of use from day 33 on. */
const disabledMs = Date.UTC(2027, 0, 34);

const Plaintext = Buffer.from("a").toString("base64");

/** Version 1 is disabled, and an application still has data under it. */
async function disabled() {
  const there = await aDeployment(policy);
  const { ask, aws, first, passUntil } = there;
  const { CiphertextBlob } = ask("Encrypt", { KeyId: orders, Plaintext });
  await passUntil(disabledMs);
  expect(stateOf(there)).toBe("Disabled");
  /** The event of one more use. */
  const use = (): { detail: object } => {
    expect(() => ask("Decrypt", { KeyId: first, CiphertextBlob })).toThrow();
    const event = aws.useAttempts.at(-1);
    if (event === undefined) throw new Error("no event");
    return event;
  };
  return { ...there, use };
}

function stateOf({ aws, first }: Pick<Deployed, "aws" | "first">): string | undefined {
  return aws.kms.world.keys.get(first)?.state;
}

describe("KMS refuses a use of a version that keyturn disabled", () => {
  test.each(["PendingImport", "Unavailable", "Creating"] as const)(
    "as %s: it stays Disabled",
    async (state) => {
      const there = await disabled();
      const { aws, first, deliver, log, use } = there;
      aws.kms.forceState(first, state);
      const event = use();
      aws.kms.forceState(first, "Disabled");
      const [before, lines] = [await there.record(), log.length];
      expect(await deliver(event)).toMatchObject({ outcome: "ignored" });
      expect(stateOf(there)).toBe("Disabled");
      expect(await there.record()).toEqual(before);
      expect(log.slice(lines)).toEqual([]);
    },
  );

  test("as a dry run: it stays Disabled, whatever the operation", async () => {
    const there = await disabled();
    const { aws, ask, deliver, first: KeyId, log } = there;
    const [known, lines] = [aws.useAttempts.length, log.length];
    const tried = { Encrypt: { Plaintext }, GenerateDataKey: { KeySpec: "AES_256" } };
    for (const [operation, input] of Object.entries(tried)) {
      expect(() => ask(operation, { KeyId, ...input, DryRun: true })).toThrow("is disabled");
    }
    const events = aws.useAttempts.slice(known);
    expect(events).toHaveLength(2);
    for (const event of events) expect(await deliver(event)).toMatchObject({ outcome: "ignored" });
    expect(stateOf(there)).toBe("Disabled");
    expect(log.slice(lines)).toEqual([]);
  });

  test.each([undefined, "", "The state of the key is not valid."])(
    "with a message that names no state, %o: it is Enabled again",
    async (errorMessage) => {
      const there = await disabled();
      const event = there.use();
      const detail = { ...event.detail, errorCode: "KMSInvalidStateException", errorMessage };
      await there.deliver({ ...event, detail });
      expect(stateOf(there)).toBe("Enabled");
    },
  );
});

/** The events of a key that no managed key has, and that somebody disabled. */
async function foreign() {
  const there = await aDeployment(policy);
  const { ask, aws, deliver, log } = there;
  await there.run();
  const { KeyId } = ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", {}).KeyMetadata;
  ask("DisableKey", { KeyId });
  const use = (DryRun = false): unknown => {
    expect(() => ask("Encrypt", { KeyId, Plaintext, DryRun })).toThrow("is disabled");
    return aws.useAttempts.at(-1);
  };
  const lines = log.length;
  /** Delivers an event, and counts the requests to the table. */
  const requests = async (event: unknown): Promise<number> => {
    aws.resetCalls();
    await deliver(event);
    return Object.values(aws.calls().dynamodb).reduce((sum, count) => sum + count, 0);
  };
  return { ...there, KeyId, use, requests, lines: () => log.slice(lines) };
}

describe("events of a key that is not managed", () => {
  test("cost one read of the table a minute, and leave no line and no metric", async () => {
    const { clock, use, requests, lines } = await foreign();
    const minute: number[] = [];
    for (let second = 0; second < 60; second++) {
      minute.push(await requests(use()));
      clock.advance(secondMs);
    }
    expect(minute).toEqual([1, ...Array<number>(59).fill(0)]);
    expect(await requests(use())).toBe(1);
    expect(lines()).toEqual([]);
  });

  test("leave no line if they are no use, or if the key is of another account", async () => {
    const { use, requests, lines } = await foreign();
    const event = use() as { detail: object };
    const changed = (detail: object) => ({ ...event, detail: { ...event.detail, ...detail } });
    const ARN = `arn:aws:kms:us-east-1:111122223333:key/${"0".repeat(8)}-0000-0000-0000-${"0".repeat(12)}`;
    for (const ignored of [
      use(true),
      changed({ eventName: "TagResource" }),
      changed({
        resources: [{ ARN }],
        errorMessage: `${ARN} is disabled.`,
        requestParameters: null,
      }),
    ]) {
      expect(await requests(ignored)).toBe(0);
    }
    expect(lines()).toEqual([]);
  });

  test("leave a line if they are no events of KMS", async () => {
    const { use, deliver, lines } = await foreign();
    await deliver({ ...(use() as object), source: "my.kms" });
    expect(lines().join()).toContain("event ignored");
  });

  test.each(["after a run in the same process", "after a minute"])(
    "count once a managed key has the key: %s",
    async (when) => {
      const { aws, clock, KeyId, use, requests, lines, run } = await foreign();
      await requests(use());
      const bound = await createTable(tableName, sdkConfig(aws.endpoint)).bind(KeyId, orders, 0);
      expect(bound).toMatchObject({ kind: "bound" });
      clock.advance(30 * secondMs);
      expect(await requests(use())).toBe(0);
      if (when === "after a minute") clock.advance(30 * secondMs);
      else await run();
      expect(await requests(use())).toBeGreaterThan(1);
      expect(lines().join()).toContain("use attempt");
    },
  );
});

test("the memory of a process is bounded, and a clock that jumps back does not extend it", () => {
  const recent: Recent = new Map();
  for (let key = 0; key <= 10_000; key++) note(recent, `key-${key}`, minuteMs);
  expect(recent.size).toBeLessThanOrEqual(10_000);
  expect(isRecent(recent, "key-10000", 2 * minuteMs - 1)).toBe(true);
  for (const nowMs of [2 * minuteMs, 0, -60 * minuteMs]) {
    expect(isRecent(recent, "key-10000", nowMs)).toBe(false);
  }
});
