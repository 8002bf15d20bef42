import type {
  GetKeyRotationStatusCommandOutput,
  ListKeyRotationsCommandOutput,
} from "@aws-sdk/client-kms";
import { describe, expect, test } from "vitest";
import { bareTwin, dayMs, outcomeOf, startMs, type BareTwin } from "./harness.ts";

function rotationsOf({ call }: BareTwin, KeyId: string, IncludeKeyMaterial?: string) {
  const input = IncludeKeyMaterial === undefined ? { KeyId } : { KeyId, IncludeKeyMaterial };
  return call<ListKeyRotationsCommandOutput>("ListKeyRotations", input).Rotations ?? [];
}

function statusOf({ call }: BareTwin, KeyId: string) {
  return call<GetKeyRotationStatusCommandOutput>("GetKeyRotationStatus", { KeyId });
}

describe("automatic rotation", () => {
  test("happens on the clock, once a period", () => {
    const bare = bareTwin();
    const KeyId = bare.keyId();
    expect(statusOf(bare, KeyId).KeyRotationEnabled).toBe(false);
    bare.call("EnableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
    bare.clock.advance(271 * dayMs);
    expect(rotationsOf(bare, KeyId)).toMatchObject(
      [90, 180, 270].map((day) => ({
        RotationType: "AUTOMATIC",
        RotationDate: new Date(startMs + day * dayMs),
      })),
    );
    expect(statusOf(bare, KeyId)).toMatchObject({
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
      NextRotationDate: new Date(startMs + 360 * dayMs),
    });
    bare.call("DisableKeyRotation", { KeyId });
    bare.clock.advance(1000 * dayMs);
    expect(rotationsOf(bare, KeyId).length).toBe(3);
  });

  test("has a period of a year by default, or of 90 to 2560 days", async () => {
    const bare = bareTwin();
    const KeyId = bare.keyId();
    bare.call("EnableKeyRotation", { KeyId });
    expect(statusOf(bare, KeyId).RotationPeriodInDays).toBe(365);
    for (const RotationPeriodInDays of [89, 2561]) {
      const enable = () => bare.call("EnableKeyRotation", { KeyId, RotationPeriodInDays });
      expect(await outcomeOf(enable)).toBe("ValidationException");
    }
  });

  test("skips a disabled key, and rotates it once the key is enabled", () => {
    const bare = bareTwin();
    const KeyId = bare.keyId();
    bare.call("EnableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
    bare.call("DisableKey", { KeyId });
    bare.clock.advance(200 * dayMs);
    expect(rotationsOf(bare, KeyId)).toEqual([]);
    bare.call("EnableKey", { KeyId });
    expect(rotationsOf(bare, KeyId)).toMatchObject([
      { RotationDate: new Date(startMs + 200 * dayMs) },
    ]);
  });

  test("is suspended while deletion is pending, and resumes", () => {
    const bare = bareTwin();
    const KeyId = bare.keyId();
    bare.call("EnableKeyRotation", { KeyId });
    bare.call("ScheduleKeyDeletion", { KeyId });
    expect(statusOf(bare, KeyId).KeyRotationEnabled).toBe(false);
    bare.call("CancelKeyDeletion", { KeyId });
    expect(statusOf(bare, KeyId).KeyRotationEnabled).toBe(true);
  });
});

describe("rotation on demand", () => {
  test("makes new material current, and keeps the old", () => {
    const bare = bareTwin();
    const KeyId = bare.keyId();
    bare.call("RotateKeyOnDemand", { KeyId });
    const states = rotationsOf(bare, KeyId, "ALL_KEY_MATERIAL").map((each) => [
      each.KeyMaterialState,
      each.RotationType,
    ]);
    expect(states).toEqual([
      ["NON_CURRENT", undefined],
      ["CURRENT", "ON_DEMAND"],
    ]);
  });

  test("happens at most 25 times", async () => {
    const bare = bareTwin();
    const KeyId = bare.keyId();
    for (let i = 0; i < 25; i++) bare.call("RotateKeyOnDemand", { KeyId });
    expect(await outcomeOf(() => bare.call("RotateKeyOnDemand", { KeyId }))).toBe(
      "LimitExceededException",
    );
  });

  test("is rejected in the last 20 minutes before an automatic one", async () => {
    const bare = bareTwin();
    const KeyId = bare.keyId();
    bare.call("EnableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
    const rotate = () => outcomeOf(() => bare.call("RotateKeyOnDemand", { KeyId }));
    bare.clock.advance(90 * dayMs - 20 * 60_000);
    expect(await rotate()).toBe("ConflictException");
    bare.clock.advance(20 * 60_000);
    expect(await rotate()).toBe("ok");
  });
});

describe("keys that KMS cannot rotate", () => {
  const stores = [{ id: "cks-1", type: "AWS_CLOUDHSM" as const, connected: true }];
  const kinds = [
    { KeyUsage: "SIGN_VERIFY", KeySpec: "RSA_2048" },
    { KeyUsage: "GENERATE_VERIFY_MAC", KeySpec: "HMAC_256" },
    { Origin: "AWS_CLOUDHSM", CustomKeyStoreId: "cks-1" },
  ] as const;
  const operations = ["EnableKeyRotation", "RotateKeyOnDemand"];
  const cases = kinds.flatMap((kind) => operations.map((operation) => ({ kind, operation })));
  const inStore = { kind: kinds[2], operation: "GetKeyRotationStatus" } as const;

  test.each([...cases, inStore])("$operation of $kind", async ({ kind, operation }) => {
    const bare = bareTwin({ customKeyStores: stores });
    const KeyId = bare.keyId(kind);
    expect(await outcomeOf(() => bare.call(operation, { KeyId }))).toBe(
      "UnsupportedOperationException",
    );
  });
});
