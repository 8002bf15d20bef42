/** Whether KMS itself rotates the material of a key. */
import { describe, expect, test } from "vitest";
import { absentKeyId, keySides, policyFor } from "./sides.ts";

describe.each(keySides)("the automatic rotation of a key, through %s", (_side, open) => {
  test("is on once an operator enables it, and off before and afterwards", async () => {
    const { keys, ask, aKey } = await open();
    const keyId = aKey();
    expect(await keys.rotatesItself(keyId)).toEqual({ kind: "observed", value: false });
    ask("EnableKeyRotation", { KeyId: keyId });
    expect(await keys.rotatesItself(keyId)).toEqual({ kind: "observed", value: true });
    ask("DisableKeyRotation", { KeyId: keyId });
    expect(await keys.rotatesItself(keyId)).toEqual({ kind: "observed", value: false });
  });

  // KMS answers with an error or with false: the guide and recorded answers differ.
  test.each([
    ["an RSA key", { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" } as const],
    ["an HMAC key", { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" } as const],
  ])("is not on for %s, and that is no failure", async (_, input) => {
    const { keys, aKey } = await open();
    const observation = await keys.rotatesItself(aKey(input));
    expect([{ kind: "absent" }, { kind: "observed", value: false }]).toContainEqual(observation);
  });

  test("is absent for a key that does not exist", async () => {
    const { keys } = await open();
    expect(await keys.rotatesItself(absentKeyId)).toEqual({ kind: "absent" });
  });

  test("is denied if its policy forbids the read", async () => {
    const { keys, aKey } = await open();
    const observation = await keys.rotatesItself(aKey({ Policy: policyFor("kms:DescribeKey") }));
    expect(observation).toMatchObject({ kind: "denied" });
  });
});
