/** The bundle behaves like the sources: it needs no part that was trimmed from its libraries. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bundle, projectFolder } from "../../infra/bundle.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import { startEmbeddedAws } from "../../embedded-aws/embedded-aws.ts";
import { dayMs } from "../fixtures.ts";

const configuration = {
  owner: "acme",
  policies: { quarterly: { cryptoperiod: "90d" } },
  managedKeys: [
    { alias: "alias/orders", policy: "quarterly" },
    { alias: "alias/absent", policy: "quarterly" },
  ],
};

const operator = { principalArn: "arn:aws:iam::000000000000:user/operator" };

describe("the bundled function", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyturn-bundled-"));
  const packageFolder = join(folder, "package");
  beforeAll(() => {
    mkdirSync(packageFolder);
    bundle(join(projectFolder, "lambda/handler.ts"), configuration, packageFolder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Invokes it in one sandbox: `rounds` rounds, each with `atOnce` invocations in parallel. */
  async function invoke(environment: Record<string, string>, rounds = 1, atOnce = 1) {
    const script = `
      const { handler } = await import(${JSON.stringify(pathToFileURL(packageFolder).href)} + "/handler.mjs");
      const context = {
        functionName: "keyturn",
        memoryLimitInMB: "512",
        invokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:keyturn",
        awsRequestId: "request",
        getRemainingTimeInMillis: () => 60_000,
      };
      for (let round = 0; round < ${rounds}; round += 1) {
        const calls = Array.from({ length: ${atOnce} }, () => handler({}, context));
        const results = await Promise.allSettled(calls);
        for (const { value, reason } of results)
          console.log("outcome: " + (value?.outcome ?? reason));
      }`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      env: { KEYTURN_TABLE: "keyturn", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const log = (await Promise.all([text(child.stdout), text(child.stderr)])).join("");
    return { log, outcomes: [...log.matchAll(/^outcome: (.*)/gm)].map(([, outcome]) => outcome) };
  }

  it("enrols and rotates, and handles the errors of KMS and DynamoDB", async () => {
    const nowMs = Date.now();
    const clock = new SimClock({ startMs: nowMs - 400 * dayMs });
    const aws = await startEmbeddedAws({ clock, seed: 1, quotas: "off" });
    onTestFinished(() => aws.close());
    await aws.createStateTable("keyturn");
    const key = aws.kms.call("CreateKey", {}, operator) as { KeyMetadata: { KeyId: string } };
    const alias = { AliasName: "alias/orders", TargetKeyId: key.KeyMetadata.KeyId };
    aws.kms.call("CreateAlias", alias, operator);
    clock.moveTo(nowMs);
    // An error that the client does not model; the SDK must still retry it.
    let throttles = 2;
    aws.fault = (service, operation) => {
      if (service !== "kms" || operation !== "DescribeKey" || throttles === 0) return undefined;
      throttles -= 1;
      return { kind: "before", code: "ThrottlingException", status: 400 };
    };

    const { log, outcomes } = await invoke(aws.env, 4, 2);

    // ConditionalCheckFailedException: one run finds the claim of the other.
    expect(outcomes).toHaveLength(8);
    expect(outcomes).toContain("another-run-at-work");
    // NotFoundException.
    expect(log).toContain("ALIAS_NOT_FOUND");
    expect(throttles).toBe(0);
    expect(log).not.toContain("THROTTLED");
    expect(log).not.toContain("pass failed");
    expect(aws.calls().kms).toMatchObject({ CreateKey: 1, TagResource: 1 });
    expect(aws.events.length).toBeGreaterThan(0);
  });

  it("signs with the environment's credentials and session token, for its Region", async () => {
    const asked: IncomingHttpHeaders[] = [];
    const server = createServer((request, response) => {
      asked.push(request.headers);
      response.writeHead(400, { "content-type": "application/x-amz-json-1.0" });
      response.end(JSON.stringify({ __type: "x#ValidationException", message: "a test error" }));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const environment = {
      AWS_ACCESS_KEY_ID: "the-role",
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_REGION: "eu-north-1",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_SESSION_TOKEN: "the-session",
    };
    const { outcomes } = await invoke(environment);
    expect(outcomes).toEqual([expect.stringContaining("a test error")]);
    expect(asked[0]?.["x-amz-security-token"]).toBe("the-session");
    expect(asked[0]?.authorization).toMatch(/Credential=the-role\/\d+\/eu-north-1\/dynamodb\//);
  });

  it("signs its events for EventBridge", async () => {
    const asked: IncomingHttpHeaders[] = [];
    const server = createServer((request, response) => {
      asked.push(request.headers);
      response.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify({ FailedEntryCount: 0, Entries: [] }));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const aws = await startEmbeddedAws({ seed: 1, quotas: "off" });
    onTestFinished(() => aws.close());
    await aws.createStateTable("keyturn");
    const key = aws.kms.call("CreateKey", {}, operator) as { KeyMetadata: { KeyId: string } };
    const alias = { AliasName: "alias/orders", TargetKeyId: key.KeyMetadata.KeyId };
    aws.kms.call("CreateAlias", alias, operator);
    const { port } = server.address() as AddressInfo;
    await invoke({ ...aws.env, AWS_ENDPOINT_URL_EVENTBRIDGE: `http://127.0.0.1:${port}` });
    expect(asked.length).toBeGreaterThan(0);
    expect(asked[0]?.["x-amz-target"]).toBe("AWSEvents.PutEvents");
    expect(asked[0]?.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=\w+\/\d+\/us-east-1\/events\/aws4_request,/,
    );
  });

  it("takes no other credentials", async () => {
    const home = join(folder, "home", ".aws");
    mkdirSync(home, { recursive: true });
    const profile = "[default]\naws_access_key_id = mine\naws_secret_access_key = mine\n";
    writeFileSync(join(home, "credentials"), profile);
    const environment = {
      AWS_ENDPOINT_URL: "http://127.0.0.1:9",
      AWS_REGION: "eu-north-1",
      HOME: join(folder, "home"),
    };
    const { outcomes } = await invoke(environment);
    expect(outcomes).toEqual([expect.stringContaining("credentials")]);
  });
});
