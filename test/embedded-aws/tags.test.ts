import type { KMS, Tag } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLab, outcomeOf, refusalOf, type Lab } from "./harness.ts";

let lab: Lab;
let kms: KMS;

beforeAll(async () => {
  lab = await openLab();
  ({ kms } = lab);
});

afterAll(async () => {
  await lab.close();
});

const tag = (TagKey: string, TagValue = "v"): Tag => ({ TagKey, TagValue });
const many = (count: number) => Array.from({ length: count }, (_, i) => tag(`key-${i}`));

const requests: [string, Tag[], string][] = [
  ["two tags of one key", [tag("a"), tag("a")], "TagException: Duplicate tag keys"],
  ["more than fifty tags", many(51), "TagException: Too many tags"],
  ["fifty tags", many(50), "ok"],
  ["AWS's own prefix", [tag("aws:x")], "TagException: Tags beginning with aws: are reserved"],
  [
    "that prefix in capitals",
    [tag("AWS:x")],
    "TagException: Tags beginning with aws: are reserved",
  ],
  ["an empty value", [tag("a", "")], "ok"],
  ["letters of any script", [tag("größe", "日本 _.:/=+-@")], "ok"],
];

describe("tags in one request", () => {
  test.each(requests)("%s", async (_, Tags, expected) => {
    expect(await refusalOf(kms.createKey({ Tags }))).toBe(expected);
    const { KeyId } = await lab.aKey();
    expect(await refusalOf(kms.tagResource({ KeyId, Tags }))).toBe(expected);
  });

  test.each([
    [tag("k".repeat(129)), "tags.1.member.tagKey", 128],
    [tag("k", "v".repeat(257)), "tags.1.member.tagValue", 256],
  ])("are of limited length", async (long, path, max) => {
    const message = await refusalOf(kms.createKey({ Tags: [long] }));
    expect(message).toContain(`at '${path}' failed to satisfy constraint: Member must have`);
    expect(message).toContain(`length less than or equal to ${max}`);
  });

  test("need a key and a value", async () => {
    const Tags = [{ TagKey: "a" } as Tag];
    expect(await refusalOf(kms.createKey({ Tags }))).toContain(
      "Value null at 'tags.1.member.tagValue'",
    );
  });
});

describe("the tags of a key", () => {
  test("are replaced, added and removed", async () => {
    const { KeyId } = await lab.aKey({ Tags: [tag("a", "1"), tag("b", "1")] });
    await kms.tagResource({ KeyId, Tags: [tag("a", "2"), tag("c", "1")] });
    await kms.untagResource({ KeyId, TagKeys: ["b", "absent"] });
    const { Tags } = await kms.listResourceTags({ KeyId });
    expect(Tags).toEqual([tag("a", "2"), tag("c", "1")]);
  });

  test("are at most fifty in all", async () => {
    const { KeyId } = await lab.aKey({ Tags: many(49) });
    const two = { KeyId, Tags: [tag("x"), tag("y")] };
    expect(await outcomeOf(kms.tagResource(two))).toBe("LimitExceededException");
    expect(await outcomeOf(kms.tagResource({ KeyId, Tags: [tag("key-1", "new"), tag("x")] }))).toBe(
      "ok",
    );
  });
});
