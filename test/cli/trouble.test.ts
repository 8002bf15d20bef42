/** An error has a clear message, in time, and the documented exit code. */
import { describe, expect, test } from "vitest";
import { typed } from "./binary.ts";
import { type Answering, falseAws, refusing } from "./false-aws.ts";

const hangs: Answering = () => undefined;
const hangsUp: Answering = (response) => void response.destroy();
const garbage: Answering = (response) => void response.end("<html>Welcome to the hotel</html>");

describe("AWS answers with", () => {
  test.each<[what: string, answer: Answering, message: RegExp]>([
    [
      "expired credentials",
      refusing("ExpiredTokenException", "The security token included in the request is expired"),
      /the credentials have expired/,
    ],
    [
      "unknown credentials",
      refusing("UnrecognizedClientException", "The security token is invalid."),
      /there are no credentials, or AWS rejects them/,
    ],
    [
      "a denial",
      refusing("AccessDeniedException", "User: arn:aws:iam::1:user/ada is not authorized"),
      /these credentials lack the permission.*user\/ada/s,
    ],
    [
      "no such table",
      refusing("ResourceNotFoundException", "Requested resource not found"),
      /has no such table/,
    ],
    [
      "a table that is not keyturn's",
      refusing("ValidationException", "The table does not have the specified index: due"),
      /this is not a state table of keyturn/,
    ],
    [
      "throttling",
      refusing("ThrottlingException", "Rate of requests exceeds the allowed throughput"),
      /DynamoDB throttles/,
    ],
    [
      "an internal error",
      refusing("InternalServerError", "We encountered an internal error", 500),
      /DynamoDB reports an internal error/,
    ],
    ["something other than DynamoDB's answer", garbage, /but not as DynamoDB/],
    ["no response", hangs, /DynamoDB cannot be reached/],
    ["a closed connection", hangsUp, /DynamoDB cannot be reached/],
  ])("%s", async (_, answer, message) => {
    const startedMs = performance.now();
    const { stdout, stderr, code } = await typed(undefined, ["status"], await falseAws(answer));
    expect({ stdout, code }).toEqual({ stdout: "", code: 3 });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^next: /m);
    expect(stderr).not.toMatch(/^\s+at |\$response/m);
    expect(performance.now() - startedMs).toBeLessThan(15_000);
  });
});

test.each([
  ["--endpoint-url sets it", ["--endpoint-url", "http://127.0.0.1:9"], "http://127.0.0.1:9"],
  ["AWS_ENDPOINT_URL sets it", [], "http://127.0.0.1:8"],
])("a refused connection asks whether the endpoint is running: %s", async (what, args, url) => {
  const env = { ...(await falseAws(hangs)), AWS_ENDPOINT_URL: "http://127.0.0.1:8" };
  const { stderr, code } = await typed(undefined, ["status", ...args], env);
  expect(stderr).toMatch(/DynamoDB cannot be reached .*ECONNREFUSED/);
  expect(stderr).toContain(`next: is ${url} running? ${what}\n`);
  expect(code).toBe(3);
});

describe("the command line has", () => {
  const somewhere = { KEYTURN_TABLE: "keyturn", AWS_REGION: "us-east-1" };
  test.each<[string, string[], Record<string, string>, number, RegExp]>([
    ["an invalid time", ["status", "--now", "yesterday"], {}, 2, /expected epoch milliseconds/],
    ["an invalid number", ["history", "x", "--last", "-3"], {}, 2, /expected a whole number/],
    ["an invalid endpoint", ["status", "--endpoint-url", "there"], somewhere, 2, /a URL/],
    [
      "an invalid Region",
      ["status", "--region", "no such place"],
      somewhere,
      3,
      /not the name of a Region/,
    ],
    [
      "an unknown profile",
      ["status", "--profile", "unknown"],
      { ...somewhere, AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" },
      3,
      /no profile of this name|there are no credentials/,
    ],
    ["no Region", ["status"], { KEYTURN_TABLE: "keyturn" }, 3, /no Region: name it/],
  ])("%s", async (_, args, env, code, message) => {
    const done = await typed(undefined, args, { HOME: "/nowhere", ...env });
    expect(done.stderr).toMatch(message);
    expect(done).toMatchObject({ stdout: "", code });
    expect(done.stderr).not.toMatch(/^\s+at /m);
  });
});
