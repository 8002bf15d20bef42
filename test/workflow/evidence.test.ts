import { describe, expect, test } from "vitest";
import { guardrailEndsMs, judge, usedSince } from "../../lambda/workflow/safety/evidence.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const policy = { drain: { atLeastMs: 0, quietForMs: 14 * dayMs, evidence: "required" as const } };
const retiredAtMs = 100 * dayMs;

describe("a retired version", () => {
  test("is quiet once the last use is older than the quiet period and the lag of the evidence", () => {
    const lastUse = { kind: "used" as const, atMs: retiredAtMs - dayMs, operation: "Encrypt" };
    const quietAtMs = retiredAtMs - dayMs + 14 * dayMs + hourMs;
    expect(judge(lastUse, retiredAtMs, policy, quietAtMs - 1)).toEqual({
      kind: "in-use",
      quietAtMs,
    });
    expect(judge(lastUse, retiredAtMs, policy, quietAtMs)).toEqual({ kind: "quiet" });
  });

  test("that was never used is quiet equally long after its creation", () => {
    const never = { kind: "never" as const, sinceMs: retiredAtMs };
    expect(judge(never, retiredAtMs, policy, retiredAtMs + dayMs).kind).toBe("in-use");
    expect(judge(never, retiredAtMs, policy, retiredAtMs + 15 * dayMs).kind).toBe("quiet");
  });

  test("is not quiet where the last use is unknown", () => {
    const unknown = { kind: "unknown" as const, why: "older than the tracking" };
    expect(judge(unknown, retiredAtMs, policy, retiredAtMs + 1000 * dayMs)).toEqual(unknown);
  });

  test.each(["Encrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateMac", "Sign"])(
    "with a %s after callers' alias caches expired still originates, at any time since",
    (operation) => {
      const late = { kind: "used" as const, atMs: retiredAtMs + 6 * 60_000, operation };
      expect(judge(late, retiredAtMs, policy, retiredAtMs + 900 * dayMs).kind).toBe("originated");
      const early = { ...late, atMs: retiredAtMs + 5 * 60_000 };
      expect(judge(early, retiredAtMs, policy, retiredAtMs + 900 * dayMs).kind).toBe("quiet");
    },
  );

  test.each(["Decrypt", "Verify", "VerifyMac", "ReEncrypt", "DeriveSharedSecret"])(
    "with a %s only processes",
    (operation) => {
      const lastUse = { kind: "used" as const, atMs: retiredAtMs + dayMs, operation };
      expect(judge(lastUse, retiredAtMs, policy, retiredAtMs + 2 * dayMs).kind).toBe("in-use");
    },
  );
});

describe("a use that evidence shows later", () => {
  const used = (atMs: number) => ({ kind: "used" as const, atMs, operation: "Decrypt" });

  test("counts where it is later than the known one", () => {
    expect(usedSince({ observedAtMs: 50, lastUse: used(10) }, used(11))).toBe(true);
    expect(usedSince({ observedAtMs: 50, lastUse: used(10) }, used(10))).toBe(false);
  });

  test("counts where none was known", () => {
    expect(usedSince({ observedAtMs: 50, lastUse: { kind: "never", sinceMs: 0 } }, used(11))).toBe(
      true,
    );
    expect(usedSince(undefined, used(11))).toBe(true);
    const never = { kind: "never" as const, sinceMs: 0 };
    expect(usedSince({ observedAtMs: 10 * hourMs, lastUse: never }, used(hourMs))).toBe(true);
  });

  test("where the last use was unknown, counts unless it is older than the read and its lag", () => {
    const unknown = { kind: "unknown" as const, why: "" };
    const observedAtMs = 10 * hourMs;
    expect(usedSince({ observedAtMs, lastUse: unknown }, used(8 * hourMs))).toBe(false);
    expect(usedSince({ observedAtMs, lastUse: unknown }, used(9.5 * hourMs))).toBe(true);
  });
});

describe("a guardrail in the key policy", () => {
  const deny = (days: string) =>
    `{"Condition":{"NumericLessThan":{"kms:TrailingDaysWithoutKeyUsage":${days}}}}`;

  test.each(["90", '"90"', '["90"]'])("of %s days ends after that many full days", (days) => {
    const lastUse = { kind: "used" as const, atMs: dayMs, operation: "Decrypt" };
    expect(guardrailEndsMs(deny(days), lastUse, 0)).toBe(dayMs + 91 * dayMs);
  });

  test("counts from creation for a key never used", () => {
    expect(guardrailEndsMs(deny("30"), { kind: "never", sinceMs: 0 }, 5 * dayMs)).toBe(36 * dayMs);
  });

  test("counts from the start of the tracking for a key never used since", () => {
    const never = { kind: "never" as const, sinceMs: 7 * dayMs };
    expect(guardrailEndsMs(deny("30"), never, 5 * dayMs)).toBe(38 * dayMs);
  });

  test("counts from creation where the last use is unknown", () => {
    const unknown = { kind: "unknown" as const, why: "older than the tracking" };
    expect(guardrailEndsMs(deny("30"), unknown, 5 * dayMs)).toBe(36 * dayMs);
  });

  test("is absent where the policy has no such condition", () => {
    expect(guardrailEndsMs("{}", { kind: "never", sinceMs: 0 }, 0)).toBe(0);
  });
});
