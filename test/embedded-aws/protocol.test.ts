import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { account, bytes, openLab, outcomeOf, startMs, type Lab } from "./harness.ts";

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
});

afterAll(async () => {
  await lab.close();
});

const authorization =
  "AWS4-HMAC-SHA256 Credential=tester/20261101/us-east-1/kms/aws4_request, " +
  "SignedHeaders=host, Signature=0";

async function post(target: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(lab.aws.endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": target,
      authorization,
      ...headers,
    },
    body,
  });
  const answer = (await response.json()) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, answer };
}

describe("AWS JSON 1.1", () => {
  test("has times in seconds, bytes in base64 and a request id", async () => {
    const created = await post("TrentService.CreateKey", "{}");
    const { KeyMetadata: metadata } = created.answer as { KeyMetadata: Record<string, unknown> };
    expect(metadata["CreationDate"]).toBe(startMs / 1000);
    expect(created.headers.get("x-amzn-requestid")).toMatch(/^[0-9a-f-]{36}$/);
    const request = { KeyId: metadata["KeyId"], Plaintext: Buffer.from("m").toString("base64") };
    const { answer } = await post("TrentService.Encrypt", JSON.stringify(request));
    const { CiphertextBlob } = answer;
    const opened = await post("TrentService.Decrypt", JSON.stringify({ CiphertextBlob }));
    expect(opened.answer["Plaintext"]).toBe(request.Plaintext);
  });

  test("names an error by its type", async () => {
    const request = JSON.stringify({ KeyId: "none" });
    expect(await post("TrentService.DescribeKey", request)).toMatchObject({
      status: 400,
      answer: { __type: "NotFoundException", message: "Invalid keyId 'none'" },
    });
  });

  test.each([
    ["TrentService.DescribeKey", "{", "SerializationException"],
    ["TrentService.DescribeKey", "[]", "SerializationException"],
    ["TrentService.DescribeKey", '{"KeyId":5}', "SerializationException"],
    ["TrentService.Decrypt", '{"CiphertextBlob":"%"}', "SerializationException"],
    ["TrentService.ImportKeyMaterial", "{}", "UnknownOperationException"],
    ["TrentService.constructor", "{}", "UnknownOperationException"],
    ["TrentService.", "{}", "UnknownOperationException"],
    ["SecretsManager.ListSecrets", "{}", "UnknownOperationException"],
    ["AWSEvents.PutRule", "{}", "UnknownOperationException"],
    ["DynamoDB_20120810.Nothing", "{}", "com.amazon.coral.service#UnknownOperationException"],
  ])("%s with %s: %s", async (target, body, type) => {
    const headers = target.startsWith("Dynamo")
      ? { "content-type": "application/x-amz-json-1.0" }
      : {};
    expect(await post(target, body, headers)).toMatchObject({
      status: 400,
      answer: { __type: type },
    });
  });

  test("requires a caller", async () => {
    expect(await post("TrentService.ListKeys", "{}", { authorization: "" })).toMatchObject({
      status: 400,
      answer: { __type: "MissingAuthenticationTokenException" },
    });
    expect(await post("TrentService.ListKeys", "{}", { authorization: "Basic x" })).toMatchObject({
      answer: { __type: "IncompleteSignatureException" },
    });
  });

  test("the caller is the user of the access key", async () => {
    const observed: string[] = [];
    lab.aws.kms.onCall = ({ principalArn }) => observed.push(principalArn);
    await lab.kmsAs("alice").listKeys({});
    lab.aws.kms.onCall = undefined;
    expect(observed).toEqual([`arn:aws:iam::${account}:user/alice`]);
  });

  test("an error names a missing required member", async () => {
    const { answer } = await post("TrentService.Sign", '{"Message":"bQ=="}');
    expect(answer["__type"]).toBe("ValidationException");
    expect(answer["message"]).toBe(
      "2 validation errors detected: " +
        "Value null at 'keyId' failed to satisfy constraint: Member must not be null; " +
        "Value null at 'signingAlgorithm' failed to satisfy constraint: Member must not be null",
    );
  });
});

describe("the control endpoints", () => {
  const control = async (method: string, path: string, body?: object) => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${lab.aws.endpoint}/_keyturn/${path}`, { method, ...sent });
    return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
  };

  test("read the clock, and move it only forward", async () => {
    const nowMs = lab.aws.clock.nowMs();
    expect(await control("GET", "clock")).toEqual({ status: 200, answer: { nowMs } });
    const moved = await control("POST", "clock", { advanceMs: 5000 });
    expect(moved.answer).toEqual({ nowMs: nowMs + 5000 });
    expect((await control("POST", "clock", { nowMs: nowMs + 9000 })).status).toBe(200);
    expect(lab.aws.clock.nowMs()).toBe(nowMs + 9000);
    for (const wrong of [{ nowMs }, {}, { nowMs: 1, advanceMs: 1 }, { advanceMs: -1 }]) {
      expect((await control("POST", "clock", wrong)).status).toBe(400);
    }
  });

  test("count calls by service and operation", async () => {
    await control("POST", "calls/reset");
    await lab.kms.listKeys({});
    await outcomeOf(lab.kms.describeKey({ KeyId: "none" }));
    await lab.dynamoDb.listTables({});
    expect((await control("GET", "calls")).answer).toEqual({
      kms: { ListKeys: 1, DescribeKey: 1 },
      dynamodb: { ListTables: 1 },
      events: {},
      tagging: {},
    });
    expect(lab.aws.calls().kms).toEqual(lab.aws.kms.counts());
  });

  test("set a key state that no call leads to", async () => {
    const { KeyId } = await lab.aKey();
    await control("POST", "kms/state", { keyId: KeyId, state: "Updating" });
    const { KeyMetadata } = await lab.kms.describeKey({ KeyId });
    expect(KeyMetadata?.KeyState).toBe("Updating");
    expect(await outcomeOf(lab.kms.encrypt({ KeyId, Plaintext: bytes("m") }))).toBe("ok");
    expect((await control("POST", "kms/state", { keyId: "none", state: "Enabled" })).status).toBe(
      400,
    );
  });

  test("report health, and answer 404 to any other path", async () => {
    expect(await control("GET", "health")).toMatchObject({ status: 200, answer: { status: "ok" } });
    expect((await control("GET", "nothing")).status).toBe(404);
  });
});
