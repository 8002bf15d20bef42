import { describe, expect, test } from "vitest";
import {
  describeLastUse,
  guardrailEndsMs,
  judge,
  usedSince,
} from "../../lambda/workflow/safety/evidence.ts";
import { aPolicy, dayMs, hourMs, minuteMs } from "../fixtures.ts";

const policy = aPolicy();
const retiredAtMs = 100 * dayMs;
const used = (operation: string, atMs: number) => ({ kind: "used" as const, atMs, operation });

describe("the last use of an old version", () => {
  const lateMs = retiredAtMs + 5 * minuteMs + 1;

  test.each([
    ["Encrypt", "originated"],
    ["GenerateDataKey", "originated"],
    ["GenerateDataKeyPair", "originated"],
    ["GenerateDataKeyPairWithoutPlaintext", "originated"],
    ["GenerateDataKeyWithoutPlaintext", "originated"],
    ["GenerateMac", "originated"],
    ["Sign", "originated"],
    ["Decrypt", "quiet"],
    ["ReEncrypt", "quiet"],
    ["DeriveSharedSecret", "quiet"],
  ])("%s, after alias caches expired: %s", (operation, kind) => {
    const verdict = judge(used(operation, lateMs), retiredAtMs, policy, retiredAtMs + 90 * dayMs);
    expect(verdict.kind).toBe(kind);
    if (kind === "originated") expect(verdict).toEqual({ kind, operation, atMs: lateMs });
  });

  test("is described with its time", () => {
    expect(describeLastUse(used("Sign", dayMs))).toBe("Sign at 1970-01-02T00:00:00Z");
    expect(describeLastUse({ kind: "never", sinceMs: 0 })).toBe(
      "never, since 1970-01-01T00:00:00Z",
    );
    expect(describeLastUse({ kind: "unknown", why: "no such key" })).toBe("unknown: no such key");
  });
});

describe("a use since the evidence was read", () => {
  const unknown = { kind: "unknown" as const, why: "" };
  const never = { kind: "never" as const, sinceMs: 0 };
  const observedAtMs = 10 * hourMs;

  test("is absent where KMS reports no use", () => {
    expect(usedSince(undefined, never)).toBe(false);
    expect(usedSince({ observedAtMs, lastUse: used("Sign", 0) }, unknown)).toBe(false);
  });

  test("may be as old as the lag of the evidence, and no older", () => {
    const before = { observedAtMs, lastUse: unknown };
    expect(usedSince(before, used("Decrypt", 9 * hourMs))).toBe(false);
    expect(usedSince(before, used("Decrypt", 9 * hourMs + 1))).toBe(true);
  });
});

describe("a guardrail on recent use", () => {
  const statement = (condition: object): string =>
    JSON.stringify({ Statement: [{ Effect: "Deny", Condition: condition }, null, "text"] });
  const days = (value: unknown, name = "kms:TrailingDaysWithoutKeyUsage"): string =>
    statement({ NumericLessThan: { [name]: value } });
  const never = { kind: "never" as const, sinceMs: 0 };

  test.each<[what: string, document: string, endsOnDay: number]>([
    ["counts in whole days that have passed", days("30"), 31],
    ["is the longest of several", days(["7", "90", "30"]), 91],
    ["is found in any spelling", days(3, "KMS:trailingdayswithoutkeyusage"), 4],
    ["of zero days ends the day after", days(0), 1],
    ["that is no number has no effect", days("soon"), 0],
    ["of another name has no effect", days(9, "aws:MultiFactorAuthAge"), 0],
    ["below zero has no effect", days(-1), 0],
  ])("%s", (_what, document, endsOnDay) => {
    expect(guardrailEndsMs(document, never, 0)).toBe(endsOnDay * dayMs);
    const last = used("Decrypt", endsOnDay === 0 ? 0 : 5 * dayMs);
    const since = endsOnDay === 0 ? 0 : endsOnDay + 5;
    expect(guardrailEndsMs(document, last, 0)).toBe(since * dayMs);
  });
});
