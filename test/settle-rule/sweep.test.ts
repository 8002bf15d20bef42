/** A late call of every kind, at forty moments each; `parts.test.ts` shows that this can fail. */
import { describe, expect, test } from "vitest";
import { aHistory, sweep, type History, type Meanwhile } from "./sweep.ts";

let played: Promise<History> | undefined;
const history = (): Promise<History> => (played ??= aHistory());

const calls = [
  "CreateKey 1",
  "CreateGrant 1",
  "UpdateAlias 1",
  "TagResource 2",
  "DisableKey 1",
  "ScheduleKeyDeletion 1",
  "CancelKeyDeletion 1",
  "EnableKey 1",
  "UntagResource 1",
  "UpdateAlias 2",
];

const harmless =
  "%s: the alias stays on an Enabled key, and every key in use is Enabled in the end";

async function expectNoHarm(call: string, what: Meanwhile): Promise<void> {
  expect(await sweep(await history(), call, what)).toEqual([]);
}

describe("a late call while", () => {
  describe("an operator rolls back", () => {
    test.each(calls)(harmless, (call) => expectNoHarm(call, "rollback"));
  });

  describe("an application needs the old version", () => {
    test.each(calls)(harmless, (call) => expectNoHarm(call, "use"));
  });

  describe("an operator requests the next rotation", () => {
    const decisive = ["CreateKey 1", "UpdateAlias 1", "DisableKey 1", "ScheduleKeyDeletion 1"];
    test.each(decisive)(harmless, (call) => expectNoHarm(call, "rotate"));
  });
});

test("the sweep has every kind of changing call", async () => {
  const { starts } = await history();
  const sent = new Set([...starts.keys()].map((call) => call.split(" ")[0]));
  expect(new Set(calls.map((call) => call.split(" ")[0]))).toEqual(sent);
});
