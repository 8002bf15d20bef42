import type {
  DescribeKeyCommandOutput,
  ListAliasesCommandOutput,
  ScheduleKeyDeletionCommandOutput,
} from "@aws-sdk/client-kms";
import { describe, expect, test } from "vitest";
import { bareTwin, bytes, dayMs, outcomeOf, startMs } from "./harness.ts";

describe("a key whose deletion is scheduled", () => {
  test("is deleted with its aliases at its date, and not earlier", async () => {
    const { call, clock, keyId } = bareTwin();
    const KeyId = keyId();
    call("CreateAlias", { AliasName: "alias/going", TargetKeyId: KeyId });
    const { DeletionDate } = call<ScheduleKeyDeletionCommandOutput>("ScheduleKeyDeletion", {
      KeyId,
      PendingWindowInDays: 7,
    });
    expect(DeletionDate?.getTime()).toBe(startMs + 7 * dayMs);
    clock.advance(7 * dayMs - 1);
    expect(await outcomeOf(() => call("DescribeKey", { KeyId: "alias/going" }))).toBe("ok");
    clock.advance(1);
    expect(await outcomeOf(() => call("DescribeKey", { KeyId }))).toBe("NotFoundException");
    expect(call<ListAliasesCommandOutput>("ListAliases").Aliases).toEqual([]);
    const again = () => call("CancelKeyDeletion", { KeyId });
    expect(await outcomeOf(again)).toBe("NotFoundException");
  });

  test("waits thirty days by default, and returns its deletion date", () => {
    const { call, keyId } = bareTwin();
    const KeyId = keyId();
    call("ScheduleKeyDeletion", { KeyId });
    const { KeyMetadata: metadata } = call<DescribeKeyCommandOutput>("DescribeKey", { KeyId });
    expect(metadata).toMatchObject({
      KeyState: "PendingDeletion",
      Enabled: false,
      DeletionDate: new Date(startMs + 30 * dayMs),
    });
  });

  test.each([6, 31, 0, 365])("cannot wait %i days", async (PendingWindowInDays) => {
    const { call, keyId } = bareTwin();
    const schedule = () => call("ScheduleKeyDeletion", { KeyId: keyId(), PendingWindowInDays });
    expect(await outcomeOf(schedule)).toBe("ValidationException");
  });

  test("is disabled, not enabled, once its deletion is cancelled", async () => {
    const { call, clock, keyId } = bareTwin();
    const KeyId = keyId();
    call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    call("CancelKeyDeletion", { KeyId });
    clock.advance(30 * dayMs);
    const { KeyMetadata: metadata } = call<DescribeKeyCommandOutput>("DescribeKey", { KeyId });
    expect(metadata?.KeyState).toBe("Disabled");
    expect(metadata).not.toHaveProperty("DeletionDate");
    const encrypt = () => call("Encrypt", { KeyId, Plaintext: bytes("m") });
    expect(await outcomeOf(encrypt)).toBe("DisabledException");
    call("EnableKey", { KeyId });
    expect(await outcomeOf(encrypt)).toBe("ok");
  });

  test("makes its ciphertexts unreadable", async () => {
    const { call, clock, keyId } = bareTwin();
    const KeyId = keyId();
    const { CiphertextBlob } = call<{ CiphertextBlob: Uint8Array }>("Encrypt", {
      KeyId,
      Plaintext: bytes("lost"),
    });
    call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    clock.advance(7 * dayMs);
    expect(await outcomeOf(() => call("Decrypt", { CiphertextBlob }))).toBe(
      "AccessDeniedException",
    );
    expect(await outcomeOf(() => call("Decrypt", { CiphertextBlob, KeyId }))).toBe(
      "NotFoundException",
    );
  });
});

describe("an unavailable key", () => {
  const id = "cks-1";
  const hsm = { customKeyStores: [{ id, type: "AWS_CLOUDHSM" as const, connected: true }] };

  test("returns to its earlier state, or to the state set meanwhile", () => {
    const { twin, call, keyId } = bareTwin(hsm);
    const origin = { Origin: "AWS_CLOUDHSM" as const, CustomKeyStoreId: id };
    const [left, disabled] = [keyId(origin), keyId(origin)];
    twin.connectStore(id, false);
    const stateOf = (KeyId: string) =>
      call<DescribeKeyCommandOutput>("DescribeKey", { KeyId }).KeyMetadata?.KeyState;
    expect(stateOf(left)).toBe("Unavailable");
    call("DisableKey", { KeyId: disabled });
    expect(stateOf(disabled)).toBe("Unavailable");
    twin.connectStore(id, true);
    expect([stateOf(left), stateOf(disabled)]).toEqual(["Enabled", "Disabled"]);
  });
});
