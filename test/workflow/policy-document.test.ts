import { describe, expect, test } from "vitest";
import {
  allowed,
  conditionKeysOf,
  listed,
  mustEqual,
  statementsOf,
} from "../../lambda/workflow/model/policy-document.ts";

describe("a key policy", () => {
  test("may have one statement without a list, or none", () => {
    expect(statementsOf({ Statement: { Sid: "a" } })).toEqual([{ Sid: "a" }]);
    expect(statementsOf({})).toEqual([]);
  });

  test("allows nobody by what is not a statement", () => {
    expect(allowed(JSON.stringify({ Statement: [null, "Allow", ["Allow"]] }))).toEqual([]);
    expect(allowed("null")).toEqual([]);
  });

  test("names principals only by text", () => {
    expect(listed("a")).toEqual(["a"]);
    expect(listed(["a", "b"])).toEqual(["a", "b"]);
    expect(listed(["a", 5])).toEqual([]);
    expect(listed(undefined)).toEqual([]);
  });
});

describe("the condition of a statement", () => {
  test("has the keys of every operator", () => {
    const condition = { StringEquals: { "kms:ViaService": "s" }, Bool: { "aws:Via": "true" } };
    expect(conditionKeysOf({ Condition: condition })).toEqual(["kms:ViaService", "aws:Via"]);
  });

  test("has no keys where it is absent or malformed", () => {
    expect(conditionKeysOf({})).toEqual([]);
    expect(conditionKeysOf({ Condition: { StringEquals: "kms:ViaService", Null: null } })).toEqual(
      [],
    );
    expect(mustEqual({ StringEquals: null }, "kms:calleraccount")).toEqual([]);
  });
});
