/**
 * The synthesised stack, deployed: after the deployment, only its own schedule runs the function. Each
 * minute is a day; see `emulator/hasty-handler.ts`.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KMS } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createTable } from "../../lambda/aws/dynamodb.ts";
import type { Stored } from "../../lambda/ports.ts";
import { dayMs, minuteMs, secondMs } from "../fixtures.ts";
import { cdk, logOf, removeRetained, removeToolkit, whatRuns } from "./cdk.ts";
import { deviationOf } from "./deviations.ts";
import { isForRule, messagesIn, refusedUse } from "./refused-use.ts";
import { anAccount } from "./run.ts";
import { askJson } from "./service.ts";
import { askKms } from "./sync-kms.ts";

const suite = "the stack, deployed";
const alias = "alias/orders";
const stackName = "KeyturnTest";
const document = {
  owner: "acme",
  policies: {
    daily: {
      cryptoperiod: "1d",
      lead: "0m",
      propagation: "5m",
      drain: { atLeast: "2h", quietFor: "2h" },
    },
  },
  managedKeys: [{ alias, policy: "daily" }],
};
/** The rule fires a minute after its creation, and two runs rotate a key. */
const patienceMs = 5 * minuteMs;

const { accountId, sdk } = anAccount();
const kms = new KMS(sdk);
const home = join(tmpdir(), `keyturn-stack-${accountId}`);
const config = join(home, "keyturn.json");
const outputs = join(home, "outputs.json");
const removals: (() => unknown)[] = [() => rmSync(home, { recursive: true, force: true })];

function deviates(from: string): boolean {
  return deviationOf(inject("emulator"), from) !== undefined;
}

const environment = {
  KEYTURN_EMULATOR_STACK: stackName,
  KEYTURN_EMULATOR_PACKAGE: join(home, "package"),
  KEYTURN_EMULATOR_ALARMS: deviates("alarms on metric math") ? "plain" : "",
};
const app = ["--app", `"${process.execPath}" emulator/app.ts`, "-c", `config=${config}`];
const synthesised = ["--app", join(home, "cdk.out")];

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedMs = Date.now();
  const result = await work();
  console.log(`${what}: ${Math.round((Date.now() - startedMs) / secondMs)} s`);
  return result;
}

async function until<T>(read: () => Promise<T | undefined>): Promise<T> {
  for (const endMs = Date.now() + patienceMs; Date.now() < endMs; await sleep(secondMs)) {
    const found = await read();
    if (found !== undefined) return found;
  }
  throw new Error(`not within ${patienceMs} ms`);
}

describe.skipIf(deviates(suite))(suite, () => {
  let old = "";
  let ciphertext: Uint8Array | undefined;
  let tableName = "";
  let deployed = { TableName: "", RefusedUsesQueueUrl: "", RefusedUsesRule: "" };

  beforeAll(async () => {
    mkdirSync(home);
    writeFileSync(config, JSON.stringify(document));
    removals.push(() => askKms<undefined>(sdk, "clear"));
    const { KeyMetadata } = await kms.createKey({ Description: "orders" });
    old = KeyMetadata?.KeyId ?? "";
    await kms.createAlias({ AliasName: alias, TargetKeyId: old });
    const plaintext = { KeyId: alias, Plaintext: Buffer.from("a text") };
    ciphertext = (await kms.encrypt(plaintext)).CiphertextBlob;
    const run = (...args: string[]) => cdk(sdk, home, environment, ...args);
    const toolkit = [`aws://${accountId}/${sdk.region}`, "--app", ""];
    removals.push(() => removeToolkit(sdk));
    await timed("cdk synth", () =>
      run("synth", "--quiet", ...app, "--output", synthesised[1] ?? ""),
    );
    await timed("cdk bootstrap", () => run("bootstrap", ...toolkit));
    const deploy = ["--require-approval", "never", "--outputs-file", outputs];
    removals.push(() => removeRetained(sdk));
    removals.push(() => run("destroy", "--force", ...synthesised));
    await timed("cdk deploy", () => run("deploy", ...synthesised, ...deploy));
    const reported = JSON.parse(readFileSync(outputs, "utf8")) as Record<string, typeof deployed>;
    deployed = reported[stackName] ?? deployed;
    tableName = deployed.TableName;
  });

  afterAll(async () => {
    const failed: unknown[] = [];
    for (const remove of removals.toReversed()) {
      try {
        await remove();
      } catch (error) {
        failed.push(error);
      }
    }
    kms.destroy();
    expect(failed).toEqual([]);
  });

  const heartbeats = async (): Promise<number> =>
    (await logOf(sdk)).filter((line) => line.includes('"Heartbeat":1')).length;
  const read = (): Promise<Stored | undefined> => createTable(tableName, sdk).read(alias);

  test("is run by its own schedule: the key is enrolled", { timeout: patienceMs }, async () => {
    const stored = await timed("until the schedule had run it", () =>
      until(async () => {
        const held = await read();
        return held?.record.enrolledAtMs === undefined ? undefined : held;
      }),
    );
    expect(stored.record.versions[0]).toMatchObject({ number: 1, keyId: old });
    const { Tags = [] } = await kms.listResourceTags({ KeyId: old });
    expect(Tags).toContainEqual({ TagKey: "keyturn:owner", TagValue: "acme" });
    await until(async () => (await heartbeats()) || undefined);
  });

  test("stores a refused use that comes through the queue", { timeout: patienceMs }, async () => {
    const event = refusedUse(accountId, sdk.region, old);
    expect(await isForRule(sdk, deployed.RefusedUsesRule, event)).toBe(true);
    await askJson(sdk, "sqs", "AmazonSQS.SendMessage", {
      QueueUrl: deployed.RefusedUsesQueueUrl,
      MessageBody: JSON.stringify(event),
    });
    const stored = await timed("until the queue had started the second function", () =>
      until(() => createTable(tableName, sdk).refusals(alias)),
    );
    expect(Object.values(stored.on[old]?.uses ?? {})).toMatchObject([
      { operation: "Decrypt", error: "AccessDenied", count: 1 },
    ]);
    const isEmpty = async () => (await messagesIn(sdk, deployed.RefusedUsesQueueUrl)) === 0;
    await until(async () => (await isEmpty()) || undefined);
  });

  test("rotates the key after a cryptoperiod", { timeout: patienceMs }, async () => {
    const fresh = await timed("until the alias was on another key", () =>
      until(async () => {
        const keyId = (await kms.describeKey({ KeyId: alias })).KeyMetadata?.KeyId;
        return keyId === old ? undefined : keyId;
      }),
    );
    const { Tags = [] } = await kms.listResourceTags({ KeyId: fresh });
    expect(Tags).toContainEqual({ TagKey: "keyturn:version", TagValue: "2" });
    const { KeyId } = await kms.encrypt({ KeyId: alias, Plaintext: Buffer.from("a text") });
    expect(KeyId).toContain(fresh);
    const { Plaintext } = await kms.decrypt({ CiphertextBlob: ciphertext });
    expect(Buffer.from(Plaintext ?? []).toString()).toBe("a text");
    const { record } = await until(async () => {
      const held = await read();
      return held?.record.rotations[0]?.step === "drain" ? held : undefined;
    });
    const [one, two] = record.versions;
    const heldMs = (two?.activatedAtMs ?? 0) - (one?.createdAtMs ?? 0);
    expect(heldMs).toBeGreaterThanOrEqual(dayMs);
    await until(async () => (await heartbeats()) > 1 || undefined);
  });

  test("is deleted when it is destroyed, except the retained resources", async () => {
    await timed("cdk destroy", () =>
      cdk(sdk, home, environment, "destroy", "--force", ...synthesised),
    );
    expect(await createTable(tableName, sdk).read(alias)).toBeDefined();
    expect((await kms.describeKey({ KeyId: old })).KeyMetadata?.KeyState).toBe("Enabled");
    expect(await whatRuns(sdk)).toEqual({ functions: [], rules: [] });
  });
});
