import { describe, expect, test } from "vitest";
import type { UseAttemptEvent } from "../../embedded-aws/kms/use-attempts.ts";
import { arnOf, bareTwin, outcomeOf } from "./harness.ts";

const signing = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" } as const;

function aTwin(options: Parameters<typeof bareTwin>[0] = {}) {
  const bare = bareTwin(options);
  const events: UseAttemptEvent[] = [];
  bare.twin.onUseAttempt = (event) => events.push(event);
  return { ...bare, events };
}

describe("a need that is no cryptographic operation shows as an event", () => {
  const GranteePrincipal = arnOf("worker");

  test("CreateGrant, by which EC2 begins to attach a volume, with what it asked for", async () => {
    for (const [change, expected] of [
      ["DisableKey", "DisabledException"],
      ["ScheduleKeyDeletion", "KMSInvalidStateException"],
    ] as const) {
      const twin = aTwin();
      const KeyId = twin.keyId();
      twin.call(change, { KeyId });
      const input = { KeyId, GranteePrincipal, Operations: ["Decrypt"] };
      expect(await outcomeOf(() => twin.call("CreateGrant", input))).toBe(expected);
      expect(twin.events.map(({ detail }) => detail)).toMatchObject([
        {
          eventName: "CreateGrant",
          errorCode: expected,
          readOnly: false,
          requestParameters: { granteePrincipal: GranteePrincipal, operations: ["Decrypt"] },
        },
      ]);
    }
  });

  test("GetPublicKey of a key pending deletion, and of a disabled one where KMS refuses it", async () => {
    const twin = aTwin();
    const KeyId = twin.keyId(signing);
    twin.call("ScheduleKeyDeletion", { KeyId });
    const fetch = () => twin.call("GetPublicKey", { KeyId });
    expect(await outcomeOf(fetch)).toBe("KMSInvalidStateException");
    const strict = aTwin({ publicKeyOfDisabled: "refused" });
    const other = strict.keyId(signing);
    strict.call("DisableKey", { KeyId: other });
    const refused = () => strict.call("GetPublicKey", { KeyId: other });
    expect(await outcomeOf(refused)).toBe("DisabledException");
    const named = [...twin.events, ...strict.events].map(({ detail }) => detail.eventName);
    expect(named).toEqual(["GetPublicKey", "GetPublicKey"]);
  });
});
