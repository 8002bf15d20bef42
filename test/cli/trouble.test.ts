/** What stands in an operator's way is said in words, in time, and with the exit code that is listed. */
import { describe, expect, test } from "vitest";
import { typed } from "./binary.ts";
import { type Answering, falseAws, refusing } from "./false-aws.ts";

const hangs: Answering = () => undefined;
const hangsUp: Answering = (response) => void response.destroy();
const garbage: Answering = (response) => void response.end("<html>Welcome to the hotel</html>");

describe("AWS answers with", () => {
  test.each<[what: string, answer: Answering, says: RegExp]>([
    [
      "credentials that have expired",
      refusing("ExpiredTokenException", "The security token included in the request is expired"),
      /the credentials have expired/,
    ],
    [
      "credentials that it does not know",
      refusing("UnrecognizedClientException", "The security token is invalid."),
      /there are no credentials, or AWS does not know them/,
    ],
    [
      "a denial",
      refusing("AccessDeniedException", "User: arn:aws:iam::1:user/ada is not authorized"),
      /these credentials may not do this.*user\/ada/s,
    ],
    [
      "no such table",
      refusing("ResourceNotFoundException", "Requested resource not found"),
      /there is no such table/,
    ],
    [
      "a table that is not keyturn's",
      refusing("ValidationException", "The table does not have the specified index: due"),
      /this is no table of keyturn's/,
    ],
    [
      "throttling",
      refusing("ThrottlingException", "Rate of requests exceeds the allowed throughput"),
      /DynamoDB throttles/,
    ],
    [
      "a failure of its own",
      refusing("InternalServerError", "We encountered an internal error", 500),
      /DynamoDB fails on its own side/,
    ],
    ["something that is no answer", garbage, /no answer of DynamoDB's/],
    ["silence", hangs, /DynamoDB cannot be reached/],
    ["a closed connection", hangsUp, /DynamoDB cannot be reached/],
  ])("%s", async (_, answer, says) => {
    const startedMs = performance.now();
    const { stdout, stderr, code } = await typed(undefined, ["status"], await falseAws(answer));
    expect({ stdout, code }).toEqual({ stdout: "", code: 3 });
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^next: /m);
    expect(stderr).not.toMatch(/^\s+at |\$response/m);
    expect(performance.now() - startedMs).toBeLessThan(15_000);
  });
});

describe("typed is", () => {
  const somewhere = { KEYTURN_TABLE: "keyturn", AWS_REGION: "us-east-1" };
  test.each<[string, string[], Record<string, string>, number, RegExp]>([
    ["a time that is none", ["status", "--now", "yesterday"], {}, 2, /expected epoch milliseconds/],
    ["a number that is none", ["history", "x", "--last", "-3"], {}, 2, /expected a whole number/],
    ["an endpoint that is none", ["status", "--endpoint-url", "there"], somewhere, 2, /a URL/],
    [
      "a Region that is none",
      ["status", "--region", "no such place"],
      somewhere,
      3,
      /no Region's name/,
    ],
    [
      "a profile that is none",
      ["status", "--profile", "nobody"],
      { ...somewhere, AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" },
      3,
      /no profile of this name|there are no credentials/,
    ],
    ["no Region", ["status"], { KEYTURN_TABLE: "keyturn" }, 3, /which Region\?/],
  ])("%s", async (_, args, env, code, says) => {
    const done = await typed(undefined, args, { HOME: "/nowhere", ...env });
    expect(done.stderr).toMatch(says);
    expect(done).toMatchObject({ stdout: "", code });
    expect(done.stderr).not.toMatch(/^\s+at /m);
  });
});
