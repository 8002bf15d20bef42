/** The second function's bundle behaves like the sources: it needs no part that was trimmed. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createTable } from "../../lambda/aws/dynamodb.ts";
import { newManagedKey } from "../../lambda/workflow/model/record.ts";
import { bundle, projectFolder, refusalsPackage } from "../../infra/bundle.ts";
import { startEmbeddedAws } from "../../embedded-aws/embedded-aws.ts";
import { sdkConfig } from "../contract/sides.ts";
import { aHome } from "../fixtures.ts";

/** A Decrypt that named an alias for data of another key, as EventBridge delivers it to the queue. */
function readByAlias(keyId: string): unknown {
  return {
    source: "aws.kms",
    "detail-type": "AWS API Call via CloudTrail",
    account: "000000000000",
    region: "us-east-1",
    detail: {
      userIdentity: { type: "IAMUser", arn: "arn:aws:iam::000000000000:user/sops" },
      eventTime: "2027-01-01T00:00:00Z",
      eventSource: "kms.amazonaws.com",
      eventName: "Decrypt",
      errorCode: "IncorrectKeyException",
      requestParameters: { keyId, encryptionAlgorithm: "SYMMETRIC_DEFAULT" },
    },
  };
}

describe("the bundled second function", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyturn-bundled-"));
  const packageFolder = join(folder, "package");
  beforeAll(() => {
    mkdirSync(packageFolder);
    const entry = join(projectFolder, "lambda/refusals/handler.ts");
    const part = { aliases: { "alias/orders-eu": "alias/orders" }, acceptedRefusals: [] };
    bundle(entry, part, packageFolder, refusalsPackage);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function invoke(environment: Record<string, string>, events: unknown[]) {
    const Records = events.map((event, index) => ({
      messageId: `message-${index}`,
      body: JSON.stringify(event),
    }));
    const batch = join(folder, "batch.json");
    writeFileSync(batch, JSON.stringify({ Records }));
    const script = `
      const { readFileSync } = await import("node:fs");
      const { handler } = await import(${JSON.stringify(pathToFileURL(packageFolder).href)} + "/handler.mjs");
      const invokedFunctionArn = "arn:aws:lambda:us-east-1:000000000000:function:keyturn-refusals";
      const batch = JSON.parse(readFileSync(${JSON.stringify(batch)}, "utf8"));
      console.log("answer: " + JSON.stringify(await handler(batch, { invokedFunctionArn })));`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      env: { KEYTURN_TABLE: "keyturn", KEYTURN_ROLE: "keyturn-role", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const log = (await Promise.all([text(child.stdout), text(child.stderr)])).join("");
    const [, answer = log] = /^answer: (.*)$/m.exec(log) ?? [];
    return { log, answer };
  }

  it("stores a use of a further alias for the managed key, through throttling", async () => {
    const aws = await startEmbeddedAws({ quotas: "off" });
    onTestFinished(() => aws.close());
    await aws.createStateTable("keyturn");
    const table = createTable("keyturn", sdkConfig(aws.endpoint));
    const owner = { owner: "acme", tableId: "" };
    await table.create(newManagedKey(owner, aHome(), "configuration", 0));
    // An error that the client does not model; the SDK must still retry it.
    let throttles = 2;
    aws.fault = (service, operation) => {
      if (service !== "dynamodb" || operation !== "GetItem" || throttles === 0) return undefined;
      throttles -= 1;
      return { kind: "before", code: "ThrottlingException", status: 400 };
    };
    const events = [readByAlias("alias/orders-eu"), readByAlias("alias/orders")];
    const { answer } = await invoke(aws.env, [...events, readByAlias("alias/unmanaged")]);
    expect(answer).toBe('{"batchItemFailures":[]}');
    expect(throttles).toBe(0);
    const stored = await table.refusals("alias/orders");
    expect(Object.values(stored?.on["alias"]?.uses ?? {})).toMatchObject([
      { principal: "arn:aws:iam::000000000000:user/sops", operation: "Decrypt", count: 2 },
    ]);
    expect(await table.refusals("alias/unmanaged")).toBeUndefined();
    expect(aws.calls().dynamodb).toMatchObject({ PutItem: 2 });
  });

  it("returns the messages that it cannot store, and logs one line with the cause", async () => {
    const aws = await startEmbeddedAws({ quotas: "off" });
    onTestFinished(() => aws.close());
    const events = Array.from({ length: 20 }, () => readByAlias("alias/orders"));
    const { log, answer } = await invoke(aws.env, events);
    const { batchItemFailures } = JSON.parse(answer) as { batchItemFailures: unknown[] };
    expect(batchItemFailures).toHaveLength(20);
    expect(log.match(/refused uses not stored.*ResourceNotFoundException/g)).toHaveLength(1);
  });
});
