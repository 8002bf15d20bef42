/** What the deployed second function answers to the queue, and what it writes to its log. */
import { describe, expect, test, vi } from "vitest";
import { deniedUse, incorrectKey } from "../refusals/collecting.ts";
import { denialOf, deniedOf } from "../inbound/refused.ts";
import { aDeployment } from "./deployed.ts";

const account = "000000000000";
const region = "us-east-1";
const outer = { account, region };
const onKey = (keyId: string, by: string): unknown =>
  deniedOf(
    {
      errorMessage: denialOf(`arn:aws:kms:${region}:${account}:key/${keyId}`),
      userIdentity: { type: "IAMUser", arn: `arn:aws:iam::${account}:user/${by}` },
    },
    outer,
  );

async function enrolled() {
  vi.stubEnv("POWERTOOLS_METRICS_DISABLED", "false");
  const deployed = await aDeployment({}, {}, { refusalsWatch: "cloudtrail" });
  await deployed.run();
  deployed.log.splice(0);
  return deployed;
}

describe("a batch of the queue", () => {
  test("is taken whole, without a line", async () => {
    const { collect, first, log } = await enrolled();
    const events = ["a", "b", "a"].map((by) => onKey(first, by));
    expect(await collect(...events, onKey("00000000-0000-4000-8000-000000000000", "c"))).toEqual({
      batchItemFailures: [],
    });
    expect(log).toEqual([]);
  });

  test("returns the messages whose table request failed, with one line for all of them", async () => {
    const { collect, first, log, aws } = await enrolled();
    aws.fault = (service, operation) =>
      service === "dynamodb" && operation === "PutItem"
        ? { kind: "before", code: "AccessDeniedException", status: 400 }
        : undefined;
    const many = Array.from({ length: 100 }, (_, index) => onKey(first, `user-${index}`));
    const { batchItemFailures } = await collect(deniedUse(), ...many, incorrectKey("alias/none"));
    expect(batchItemFailures).toHaveLength(100);
    expect(batchItemFailures[0]).toEqual({ itemIdentifier: "message-1" });
    expect(log).toHaveLength(1);
    expect(log[0]).toContain("refused uses not stored");
    expect(log[0]).toContain("AccessDeniedException");
    aws.fault = undefined;
    expect(await collect(...many)).toEqual({ batchItemFailures: [] });
  });

  test("has one metric for all events that name no key", async () => {
    const { collect, log } = await enrolled();
    const event = deniedOf({ errorMessage: "you are not authorized" }, outer);
    await collect(...Array.from({ length: 50 }, () => event));
    expect(log).toHaveLength(1);
    expect(JSON.parse(log[0] ?? "")).toMatchObject({ table: "keyturn", RefusalsUnattributed: 50 });
  });

  test("may be no batch: the function answers, and stores nothing", async () => {
    const { collectEvent, log, aws } = await enrolled();
    aws.resetCalls();
    const records = [null, {}, { messageId: 7, body: "{}" }, { messageId: "m", body: 7 }];
    for (const event of [undefined, null, {}, { Records: 7 }, { Records: records }]) {
      expect(await collectEvent(event)).toEqual({ batchItemFailures: [] });
    }
    expect([log, aws.calls().dynamodb]).toEqual([[], {}]);
  });
});
