import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTableInput } from "../../embedded-aws/dynamodb.ts";
import { startEmbeddedAws } from "../../embedded-aws/embedded-aws.ts";
import { dayMs, openLab, outcomeOf, type Lab } from "./harness.ts";

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
});

afterAll(async () => {
  await lab.close();
});

describe("DynamoDB", () => {
  const TableName = "state";

  test("has the state table of the definition", async () => {
    await lab.aws.createStateTable(TableName);
    const { Table } = await lab.dynamoDb.describeTable({ TableName });
    expect(Table?.TableStatus).toBe("ACTIVE");
    const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes } = createTableInput(TableName);
    expect(Table).toMatchObject({ KeySchema, GlobalSecondaryIndexes });
    expect(Table?.AttributeDefinitions).toEqual(expect.arrayContaining(AttributeDefinitions));
    await expect(lab.aws.createStateTable(TableName)).rejects.toThrow(/ResourceInUse/);
  });

  test("finds due items by its index, which omits items without a time", async () => {
    const item = (pk: string, more: object = {}) => ({
      TableName,
      Item: { pk: { S: pk }, sk: { S: "s" }, ...more },
    });
    const due = (ms: number) => ({ queue: { S: "due" }, dueAtMs: { N: String(ms) } });
    await lab.dynamoDb.putItem(item("late", due(200)));
    await lab.dynamoDb.putItem(item("early", due(100)));
    await lab.dynamoDb.putItem(item("never"));
    const { Items } = await lab.dynamoDb.query({
      TableName,
      IndexName: "due",
      KeyConditionExpression: "queue = :queue AND dueAtMs <= :nowMs",
      ExpressionAttributeValues: { ":queue": { S: "due" }, ":nowMs": { N: "150" } },
    });
    expect(Items).toEqual([item("early", due(100)).Item]);
  });

  test("checks conditions", async () => {
    const put = {
      TableName,
      Item: { pk: { S: "once" }, sk: { S: "s" } },
      ConditionExpression: "attribute_not_exists(pk)",
    };
    expect(await outcomeOf(lab.dynamoDb.putItem(put))).toBe("ok");
    expect(await outcomeOf(lab.dynamoDb.putItem(put))).toBe("ConditionalCheckFailedException");
  });
});

describe("EventBridge", () => {
  const event = { Source: "keyturn", DetailType: "rotation", Detail: '{"step":"drain"}' };

  test("records the entries", async () => {
    const { FailedEntryCount, Entries } = await lab.eventBridge.putEvents({ Entries: [event] });
    expect(FailedEntryCount).toBe(0);
    expect(lab.aws.events).toEqual([
      {
        id: Entries?.[0]?.EventId,
        atMs: lab.aws.clock.nowMs(),
        source: "keyturn",
        detailType: "rotation",
        detail: { step: "drain" },
        busName: "default",
        resources: [],
      },
    ]);
  });

  test("rejects only the invalid entry", async () => {
    const Entries = [
      event,
      { ...event, Source: "" },
      { ...event, Detail: "no json" },
      { ...event, Detail: "[]" },
      { ...event, Source: "aws.kms" },
    ];
    const answer = await lab.eventBridge.putEvents({ Entries });
    expect(answer.FailedEntryCount).toBe(4);
    expect(answer.Entries?.map((entry) => entry.ErrorCode)).toEqual([
      undefined,
      "InvalidArgument",
      "MalformedDetail",
      "MalformedDetail",
      "NotAuthorizedForSourceException",
    ]);
  });

  test("takes one to ten entries, of 256 KiB in all", async () => {
    const put = (Entries: object[]) => outcomeOf(lab.eventBridge.putEvents({ Entries }));
    expect(await put([])).toBe("ValidationException");
    expect(await put(Array.from({ length: 11 }, () => event))).toBe("ValidationException");
    const big = { ...event, Detail: JSON.stringify({ text: "x".repeat(256 * 1024) }) };
    expect(await put([big])).toBe("ValidationException");
  });
});

describe("the tagging API", () => {
  const tag = (TagKey: string, TagValue: string) => ({ TagKey, TagValue });
  const keys: string[] = [];

  beforeAll(async () => {
    for (let i = 0; i < 5; i++) {
      const Tags = [tag("owner", i < 3 ? "a" : "b"), tag("number", String(i))];
      keys.push((await lab.aKey({ Tags })).Arn);
    }
    await lab.aKey();
  });

  const found = async (input: object): Promise<(string | undefined)[]> => {
    const { ResourceTagMappingList: list = [] } = await lab.tagging.getResources(input);
    return list.map((each) => each.ResourceARN);
  };

  test("finds keys by their tags", async () => {
    const filter = (Key: string, ...Values: string[]) => ({ Key, Values });
    expect(await found({})).toEqual(keys);
    expect(await found({ TagFilters: [filter("owner", "a")] })).toEqual(keys.slice(0, 3));
    expect(await found({ TagFilters: [filter("number", "1", "4")] })).toEqual([keys[1], keys[4]]);
    const both = [filter("owner", "a"), filter("number", "4")];
    expect(await found({ TagFilters: both })).toEqual([]);
    expect(await found({ TagFilters: [{ Key: "owner" }] })).toEqual(keys);
    expect(await found({ ResourceTypeFilters: ["kms:key"] })).toEqual(keys);
    expect(await found({ ResourceTypeFilters: ["s3"] })).toEqual([]);
    expect(await found({ ResourceARNList: [keys[2]] })).toEqual([keys[2]]);
  });

  test("returns them in pages of one to a hundred", async () => {
    const first = await lab.tagging.getResources({ ResourcesPerPage: 2 });
    expect(first.ResourceTagMappingList?.length).toBe(2);
    const PaginationToken = first.PaginationToken;
    expect(await found({ ResourcesPerPage: 100, PaginationToken })).toEqual(keys.slice(2));
    for (const ResourcesPerPage of [0, 101]) {
      const request = lab.tagging.getResources({ ResourcesPerPage });
      expect(await outcomeOf(request)).toBe("InvalidParameterException");
    }
    const stale = lab.tagging.getResources({ PaginationToken: "stale" });
    expect(await outcomeOf(stale)).toBe("PaginationTokenExpiredException");
  });

  test("returns a key pending deletion, but not a deleted one", async () => {
    const KeyId = keys[4]?.split("/")[1];
    await lab.kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
    expect(await found({})).toEqual(keys);
    lab.aws.clock.advance(7 * dayMs);
    expect(await found({})).toEqual(keys.slice(0, 4));
  });
});

test("two of them run side by side, and both stop", async () => {
  const both = await Promise.all([startEmbeddedAws(), startEmbeddedAws()]);
  expect(both[0].port).not.toBe(both[1].port);
  expect(both[0].env["AWS_ENDPOINT_URL"]).toBe(`http://127.0.0.1:${both[0].port}`);
  await Promise.all(both.map((aws) => aws.close()));
  await expect(fetch(`${both[0].endpoint}/_keyturn/health`)).rejects.toThrow();
});
