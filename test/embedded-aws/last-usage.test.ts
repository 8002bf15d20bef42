import type { GetKeyLastUsageCommandOutput } from "@aws-sdk/client-kms";
import { describe, expect, test } from "vitest";
import { bareTwin, bytes, dayMs, hourMs, outcomeOf, startMs, type BareTwin } from "./harness.ts";

function lastUsage({ call }: BareTwin, KeyId: string): GetKeyLastUsageCommandOutput {
  return call<GetKeyLastUsageCommandOutput>("GetKeyLastUsage", { KeyId });
}

function encrypt({ call }: BareTwin, KeyId: string): Uint8Array {
  const request = { KeyId, Plaintext: bytes("m") };
  return call<{ CiphertextBlob: Uint8Array }>("Encrypt", request).CiphertextBlob;
}

describe("the last use of a key", () => {
  test("is empty for an unused key", () => {
    const bare = bareTwin();
    const KeyId = bare.keyId();
    expect(lastUsage(bare, KeyId)).toEqual({
      KeyId,
      KeyLastUsage: {},
      TrackingStartDate: new Date(startMs),
      KeyCreationDate: new Date(startMs),
    });
  });

  test("is visible an hour later, and only the newest", () => {
    const bare = bareTwin();
    const KeyId = bare.keyId();
    bare.clock.advance(1234);
    const CiphertextBlob = encrypt(bare, KeyId);
    bare.clock.advance(10_000);
    bare.call("Decrypt", { CiphertextBlob });
    bare.clock.advance(hourMs - 10_001);
    expect(lastUsage(bare, KeyId).KeyLastUsage).toEqual({});
    bare.clock.advance(1);
    expect(lastUsage(bare, KeyId).KeyLastUsage).toMatchObject({
      Operation: "Encrypt",
      Timestamp: new Date(startMs + 1234),
    });
    bare.clock.advance(10_000);
    expect(lastUsage(bare, KeyId).KeyLastUsage).toMatchObject({
      Operation: "Decrypt",
      Timestamp: new Date(startMs + 11_234),
    });
  });

  test("is not a read, a management call or a failed call", async () => {
    const bare = bareTwin();
    const KeyId = bare.keyId();
    const CiphertextBlob = encrypt(bare, KeyId);
    bare.clock.advance(dayMs);
    bare.call("DescribeKey", { KeyId });
    bare.call("TagResource", { KeyId, Tags: [{ TagKey: "a", TagValue: "b" }] });
    const EncryptionContext = { wrong: "context" };
    await outcomeOf(() => bare.call("Decrypt", { CiphertextBlob, EncryptionContext }));
    bare.call("DisableKey", { KeyId });
    await outcomeOf(() => bare.call("Decrypt", { CiphertextBlob }));
    bare.clock.advance(dayMs);
    expect(lastUsage(bare, KeyId).KeyLastUsage?.Timestamp).toEqual(new Date(startMs));
  });

  test("is set for both keys of a ReEncrypt", () => {
    const bare = bareTwin();
    const [source, destination] = [bare.keyId(), bare.keyId()];
    const CiphertextBlob = encrypt(bare, source);
    bare.clock.advance(5000);
    bare.call("ReEncrypt", { CiphertextBlob, DestinationKeyId: destination });
    bare.clock.advance(hourMs);
    for (const KeyId of [source, destination]) {
      expect(lastUsage(bare, KeyId).KeyLastUsage?.Operation).toBe("ReEncrypt");
    }
  });

  test("names the operation for each counted operation", () => {
    const bare = bareTwin();
    const mac = bare.keyId({ KeyUsage: "GENERATE_VERIFY_MAC", KeySpec: "HMAC_256" });
    const MacAlgorithm = "HMAC_SHA_256";
    bare.call("GenerateMac", { KeyId: mac, Message: bytes("m"), MacAlgorithm });
    const wrapping = bare.keyId();
    bare.call("GenerateDataKeyWithoutPlaintext", { KeyId: wrapping, KeySpec: "AES_256" });
    bare.clock.advance(hourMs);
    expect(lastUsage(bare, mac).KeyLastUsage?.Operation).toBe("GenerateMac");
    expect(lastUsage(bare, wrapping).KeyLastUsage?.Operation).toBe(
      "GenerateDataKeyWithoutPlaintext",
    );
  });

  test("of a key older than the tracking is known from the start of the tracking", () => {
    const trackingStartMs = startMs + dayMs;
    const bare = bareTwin({ trackingStartMs });
    const KeyId = bare.keyId();
    bare.clock.advance(30 * dayMs);
    expect(lastUsage(bare, KeyId)).toMatchObject({
      KeyLastUsage: {},
      TrackingStartDate: new Date(trackingStartMs),
      KeyCreationDate: new Date(startMs),
    });
  });

  test("is visible after the configured lag", () => {
    const bare = bareTwin({ lastUsageLagMs: 0 });
    const KeyId = bare.keyId();
    encrypt(bare, KeyId);
    expect(lastUsage(bare, KeyId).KeyLastUsage?.Operation).toBe("Encrypt");
  });
});

describe("a guardrail on recent use", () => {
  const Policy = JSON.stringify({
    Statement: [
      { Effect: "Allow", Principal: "*", Action: "kms:*", Resource: "*" },
      {
        ...{ Effect: "Deny", Principal: "*", Resource: "*" },
        Action: ["kms:DisableKey", "kms:ScheduleKeyDeletion"],
        Condition: { NumericLessThanEquals: { "kms:TrailingDaysWithoutKeyUsage": "7" } },
      },
    ],
  });

  test("prevents a deletion for whole days after the last use", async () => {
    const bare = bareTwin();
    const KeyId = bare.keyId({ Policy });
    bare.clock.advance(30 * dayMs);
    encrypt(bare, KeyId);
    bare.clock.advance(8 * dayMs - 1);
    const disable = () => outcomeOf(() => bare.call("DisableKey", { KeyId }));
    expect(await disable()).toBe("AccessDeniedException");
    bare.clock.advance(1);
    expect(await disable()).toBe("ok");
  });

  test("counts from the creation of an unused key", async () => {
    const bare = bareTwin();
    const KeyId = bare.keyId({ Policy });
    const schedule = () => outcomeOf(() => bare.call("ScheduleKeyDeletion", { KeyId }));
    expect(await schedule()).toBe("AccessDeniedException");
    bare.clock.advance(8 * dayMs);
    expect(await schedule()).toBe("ok");
  });
});
