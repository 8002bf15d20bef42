import { describe, expect, test } from "vitest";
import { SimClock } from "../../embedded-aws/clock.ts";
import { bareTwin, bytes, openLab, outcomeOf, startMs } from "./harness.ts";

/** The number of accepted calls among `count` calls at the same time. */
async function letThrough(count: number, call: () => unknown): Promise<number> {
  let passed = 0;
  for (let i = 0; i < count; i++) if ((await outcomeOf(call)) === "ok") passed++;
  return passed;
}

describe("request quotas", () => {
  test.each([
    ["CreateKey", 5],
    ["GetKeyLastUsage", 5],
    ["DisableKey", 5],
    ["TagResource", 10],
    ["ScheduleKeyDeletion", 15],
    ["ListGrants", 100],
    ["DescribeKey", 2000],
  ])("%s: %i a second", async (operation, perSecond) => {
    const { twin, call, clock, keyId } = bareTwin({ quotas: "on" });
    const KeyId = keyId();
    clock.advance(1000);
    const input = { KeyId, Tags: [] };
    const outcomes: string[] = [];
    twin.onCall = ({ outcome }) => outcomes.push(outcome);
    await letThrough(perSecond + 5, () => call(operation, operation === "CreateKey" ? {} : input));
    const throttled = outcomes.filter((outcome) => outcome === "ThrottlingException");
    expect(throttled.length).toBe(5);
  });

  test("refill with time, and each operation has its own", async () => {
    const { call, clock, keyId } = bareTwin({ quotas: "on" });
    const KeyId = keyId();
    const read = () => call("GetKeyLastUsage", { KeyId });
    expect(await letThrough(10, read)).toBe(5);
    expect(await outcomeOf(() => call("DisableKey", { KeyId }))).toBe("ok");
    clock.advance(400);
    expect(await letThrough(10, read)).toBe(2);
    clock.advance(60_000);
    expect(await letThrough(10, read)).toBe(5);
  });

  test("of cryptographic operations are shared by keys of a kind", async () => {
    const { call, clock, keyId } = bareTwin({ quotas: "on" });
    const kind = { KeyUsage: "SIGN_VERIFY", KeySpec: "ECC_NIST_P256" } as const;
    const keys = [keyId(kind), keyId(kind)];
    clock.advance(1000);
    const SigningAlgorithm = "ECDSA_SHA_256";
    const sign = (KeyId = "") => call("Sign", { KeyId, Message: bytes("m"), SigningAlgorithm });
    let signed = 0;
    for (const key of keys) signed += await letThrough(600, () => sign(key));
    expect(signed).toBe(1000);
  });

  test("refill in real time too, while the clock stands still", async () => {
    let realMs = 0;
    const { call, keyId } = bareTwin({ quotas: "on", quotaClockMs: () => realMs });
    const KeyId = keyId();
    const read = () => call("GetKeyLastUsage", { KeyId });
    expect(await letThrough(10, read)).toBe(5);
    realMs += 1000;
    expect(await letThrough(10, read)).toBe(5);
  });

  test("reach the SDK as a throttling error that it recognises", async () => {
    const lab = await openLab({ quotas: "on", clock: new SimClock({ startMs }) });
    const attempts = Array.from({ length: 12 }, () => lab.kms.createKey({}));
    const failed = (await Promise.allSettled(attempts)).filter(
      (each) => each.status === "rejected",
    );
    expect(failed.length).toBeGreaterThanOrEqual(6);
    for (const { reason } of failed) {
      expect(reason).toMatchObject({
        name: "ThrottlingException",
        $metadata: { httpStatusCode: 400 },
      });
    }
    await lab.close();
  });
});
