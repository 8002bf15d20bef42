import { describe, expect, test } from "vitest";
import type { UseAttemptEvent } from "../../embedded-aws/kms/use-attempts.ts";
import { readRefusedUse } from "../../lambda/inbound/refused-use.ts";
import { readUseAttempt } from "../../lambda/inbound/use-attempt.ts";
import { arnOf, bareTwin, outcomeOf } from "./harness.ts";
import { aTrail, uses } from "./refusals.ts";

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

/** GetPublicKey has no dry run. */
const tried = uses.filter(([operation]) => operation !== "GetPublicKey");
const isDry = { kind: "ignored", why: "it is a dry run" };

describe("a dry run is no use:", () => {
  test.each(tried)("%s on a key that is out of use", async (operation, shape, rest) => {
    for (const change of ["DisableKey", "ScheduleKeyDeletion"]) {
      const trail = aTrail();
      const KeyId = trail.keyId(shape);
      trail.call(change, { KeyId });
      await outcomeOf(() => trail.call(operation, { KeyId, ...rest, DryRun: true }));
      const [event, ...more] = trail.attempts;
      expect(event?.detail.requestParameters).toMatchObject({ dryRun: true });
      expect(more).toEqual([]);
      expect(readUseAttempt(event)).toEqual(isDry);
    }
  });

  test.each(tried)("%s on an Enabled key", async (operation, shape, rest) => {
    const trail = aTrail();
    const KeyId = trail.keyId(shape);
    const outcome = outcomeOf(() => trail.call(operation, { KeyId, ...rest, DryRun: true }));
    expect(await outcome).toBe("DryRunOperationException");
    expect([...trail.attempts, ...trail.refused]).toEqual([]);
    expect(trail.call("GetKeyLastUsage", { KeyId })).not.toHaveProperty("KeyLastUsage.Operation");
  });

  test("a Decrypt that names another key", async () => {
    const trail = aTrail();
    const [KeyId, other] = [trail.keyId(), trail.keyId()];
    const input = { KeyId, CiphertextBlob: trail.cipherUnder(other), DryRun: true };
    expect(await outcomeOf(() => trail.call("Decrypt", input))).toBe("IncorrectKeyException");
    expect(trail.refused.map((event) => readRefusedUse(event))).toEqual([isDry]);
  });
});
