import type { KMS } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KeyState } from "../../embedded-aws/kms/types.ts";
import { bytes, openLab, outcomeOf, type Lab } from "./harness.ts";

/**
 * "Key states of AWS KMS keys" in the AWS KMS Developer Guide, cell by cell. The columns: Enabled,
 * Disabled, PendingDeletion, PendingImport, Unavailable, Creating, Updating. PendingReplicaDeletion
 * has the column of PendingDeletion. "-" is "N/A": this key cannot have this state.
 */
const columns: KeyState[] = [
  "Enabled",
  "Disabled",
  "PendingDeletion",
  "PendingImport",
  "Unavailable",
  "Creating",
  "Updating",
];

const outcomes: Record<string, string> = {
  ok: "ok",
  D: "DisabledException",
  S: "KMSInvalidStateException",
  U: "UnsupportedOperationException",
};

const table = `
  CancelKeyDeletion                    S  S  ok S  S  S  S
  CreateAlias                          ok ok S  ok ok ok ok
  CreateGrant                          ok D  S  S  ok S  ok
  Decrypt                              ok D  S  S  S  S  ok
  DeleteAlias                          ok ok ok ok ok ok ok
  DeriveSharedSecret                   ok D  S  S  -  S  ok
  DescribeKey                          ok ok ok ok ok ok ok
  DisableKey                           ok ok S  S  ok S  S
  DisableKeyRotation                   ok D  S  U  U  S  ok
  EnableKey                            ok ok S  S  ok S  S
  EnableKeyRotation                    ok D  S  U  U  S  ok
  Encrypt                              ok D  S  S  S  S  ok
  GenerateDataKey                      ok D  S  S  S  S  ok
  GenerateDataKeyPair                  ok D  S  S  U  S  ok
  GenerateDataKeyPairWithoutPlaintext  ok D  S  S  U  S  ok
  GenerateDataKeyWithoutPlaintext      ok D  S  S  S  S  ok
  GenerateMac                          ok D  S  S  -  S  ok
  GetKeyLastUsage                      ok ok ok ok ok ok ok
  GetKeyPolicy                         ok ok ok ok ok ok ok
  GetKeyRotationStatus                 ok ok ok U  U  ok ok
  GetPublicKey                         ok ok S  -  -  S  ok
  ListAliases                          ok ok ok ok ok ok ok
  ListGrants                           ok ok ok ok ok ok ok
  ListKeyPolicies                      ok ok ok ok ok ok ok
  ListKeyRotations                     ok ok ok ok U  ok ok
  ListResourceTags                     ok ok ok ok ok ok ok
  PutKeyPolicy                         ok ok ok ok ok ok ok
  ReEncrypt                            ok D  S  S  S  S  ok
  RetireGrant                          ok ok ok ok ok ok ok
  RevokeGrant                          ok ok ok ok ok ok ok
  RotateKeyOnDemand                    ok D  S  S  U  S  ok
  ScheduleKeyDeletion                  ok ok S  ok ok ok S
  Sign                                 ok D  S  S  -  S  ok
  TagResource                          ok ok S  ok ok ok ok
  UntagResource                        ok ok S  ok ok ok ok
  UpdateAlias                          ok ok S  ok ok ok ok
  UpdateKeyDescription                 ok ok S  ok ok ok ok
  Verify                               ok D  S  S  -  S  ok
  VerifyMac                            ok D  S  S  -  S  ok
`;

const cells = table
  .trim()
  .split("\n")
  .flatMap((row) => {
    const [operation = "", ...codes] = row.trim().split(/\s+/);
    return codes.flatMap((code, i) => {
      const state = columns[i] ?? "Enabled";
      const states = state === "PendingDeletion" ? [state, "PendingReplicaDeletion"] : [state];
      return states.map((each) => ({
        operation,
        state: each as KeyState,
        expected: outcomes[code] ?? "not applicable",
      }));
    });
  })
  .filter((cell) => cell.expected !== "not applicable");

const storeId = "cks-0123456789abcdef0";
let lab: Lab;
let kms: KMS;

beforeAll(async () => {
  const store = { id: storeId, type: "AWS_CLOUDHSM" as const, connected: true };
  lab = await openLab({ customKeyStores: [store] });
  ({ kms } = lab);
});

afterAll(async () => {
  await lab.close();
});

const usages: Record<string, { KeyUsage: string; KeySpec: string }> = {
  Sign: { KeyUsage: "SIGN_VERIFY", KeySpec: "ECC_NIST_P256" },
  Verify: { KeyUsage: "SIGN_VERIFY", KeySpec: "ECC_NIST_P256" },
  GetPublicKey: { KeyUsage: "SIGN_VERIFY", KeySpec: "ECC_NIST_P256" },
  GenerateMac: { KeyUsage: "GENERATE_VERIFY_MAC", KeySpec: "HMAC_256" },
  VerifyMac: { KeyUsage: "GENERATE_VERIFY_MAC", KeySpec: "HMAC_256" },
  DeriveSharedSecret: { KeyUsage: "KEY_AGREEMENT", KeySpec: "ECC_NIST_P256" },
};

/** The prerequisites that must exist before the state change, or that imported keys cannot get. */
type Prepared = { ciphertext: Uint8Array; other: string; alias: string; grantId: string };

let counter = 0;

async function aKeyFor(operation: string, state: KeyState): Promise<string> {
  const kind = usages[operation] ?? {};
  const origin =
    state === "PendingImport"
      ? { Origin: "EXTERNAL" }
      : state === "Unavailable"
        ? { Origin: "AWS_CLOUDHSM", CustomKeyStoreId: storeId }
        : {};
  const { KeyId: keyId } = await lab.aKey({ ...kind, ...origin } as object);
  return keyId;
}

async function prepare(keyId: string, operation: string, state: KeyState): Promise<Prepared> {
  const alias = `alias/states-${counter++}`;
  const { KeyId: other } = await lab.aKey((usages[operation] ?? {}) as object);
  const onOther = operation === "UpdateAlias";
  await kms.createAlias({ AliasName: alias, TargetKeyId: onOther ? other : keyId });
  // A key without material accepts no grants; a key with expired material keeps its grants.
  if (state === "PendingImport") lab.aws.kms.forceState(keyId, "Enabled");
  const grant = await kms.createGrant({
    KeyId: keyId,
    GranteePrincipal: "arn:aws:iam::000000000000:user/grantee",
    RetiringPrincipal: "arn:aws:iam::000000000000:user/tester",
    Operations: ["DescribeKey"],
  });
  const encrypts = operation === "Decrypt" || operation === "ReEncrypt";
  const ciphertext =
    encrypts && state !== "PendingImport"
      ? (await kms.encrypt({ KeyId: keyId, Plaintext: bytes("message") })).CiphertextBlob
      : undefined;
  return {
    ciphertext: ciphertext ?? bytes("any"),
    other,
    alias,
    grantId: grant.GrantId ?? "",
  };
}

/** Sets the key's state by API calls, if such calls exist. */
async function enter(keyId: string, state: KeyState): Promise<void> {
  if (state === "Disabled") await kms.disableKey({ KeyId: keyId });
  else if (state === "PendingDeletion") await kms.scheduleKeyDeletion({ KeyId: keyId });
  else lab.aws.kms.forceState(keyId, state);
}

async function call(operation: string, keyId: string, prepared: Prepared): Promise<unknown> {
  const { ciphertext, other, alias, grantId } = prepared;
  const key = { KeyId: keyId };
  const signing = { ...key, Message: bytes("m"), SigningAlgorithm: "ECDSA_SHA_256" as const };
  const mac = { ...key, Message: bytes("m"), MacAlgorithm: "HMAC_SHA_256" as const };
  const pair = { ...key, KeyPairSpec: "ECC_NIST_P256" as const };
  const blindly = { DryRun: true, DryRunModifiers: ["IGNORE_CIPHERTEXT" as const] };
  const imported = ciphertext.length === 3;
  const calls: Record<string, () => Promise<unknown>> = {
    CancelKeyDeletion: () => kms.cancelKeyDeletion(key),
    CreateAlias: () => kms.createAlias({ AliasName: `${alias}-2`, TargetKeyId: keyId }),
    CreateGrant: () =>
      kms.createGrant({
        ...key,
        GranteePrincipal: "arn:aws:iam::000000000000:user/grantee",
        Operations: ["DescribeKey"],
      }),
    Decrypt: () =>
      kms.decrypt(imported ? { ...key, ...blindly } : { ...key, CiphertextBlob: ciphertext }),
    DeleteAlias: () => kms.deleteAlias({ AliasName: alias }),
    DeriveSharedSecret: async () => {
      const { PublicKey: publicKey } = await kms.getPublicKey({ KeyId: other });
      const shared = { KeyAgreementAlgorithm: "ECDH" as const, PublicKey: publicKey };
      return kms.deriveSharedSecret({ ...key, ...shared });
    },
    DescribeKey: () => kms.describeKey(key),
    DisableKey: () => kms.disableKey(key),
    DisableKeyRotation: () => kms.disableKeyRotation(key),
    EnableKey: () => kms.enableKey(key),
    EnableKeyRotation: () => kms.enableKeyRotation(key),
    Encrypt: () => kms.encrypt({ ...key, Plaintext: bytes("m") }),
    GenerateDataKey: () => kms.generateDataKey({ ...key, KeySpec: "AES_256" }),
    GenerateDataKeyPair: () => kms.generateDataKeyPair(pair),
    GenerateDataKeyPairWithoutPlaintext: () => kms.generateDataKeyPairWithoutPlaintext(pair),
    GenerateDataKeyWithoutPlaintext: () =>
      kms.generateDataKeyWithoutPlaintext({ ...key, KeySpec: "AES_256" }),
    GenerateMac: () => kms.generateMac(mac),
    GetKeyLastUsage: () => kms.getKeyLastUsage(key),
    GetKeyPolicy: () => kms.getKeyPolicy(key),
    GetKeyRotationStatus: () => kms.getKeyRotationStatus(key),
    GetPublicKey: () => kms.getPublicKey(key),
    ListAliases: () => kms.listAliases(key),
    ListGrants: () => kms.listGrants(key),
    ListKeyPolicies: () => kms.listKeyPolicies(key),
    ListKeyRotations: () => kms.listKeyRotations(key),
    ListResourceTags: () => kms.listResourceTags(key),
    PutKeyPolicy: async () => {
      const { Policy: policy } = await kms.getKeyPolicy(key);
      return kms.putKeyPolicy({ ...key, Policy: policy });
    },
    ReEncrypt: () =>
      kms.reEncrypt(
        imported
          ? { SourceKeyId: keyId, DestinationKeyId: other, ...blindly }
          : { CiphertextBlob: ciphertext, DestinationKeyId: other },
      ),
    RetireGrant: () => kms.retireGrant({ ...key, GrantId: grantId }),
    RevokeGrant: () => kms.revokeGrant({ ...key, GrantId: grantId }),
    RotateKeyOnDemand: () => kms.rotateKeyOnDemand(key),
    ScheduleKeyDeletion: () => kms.scheduleKeyDeletion(key),
    Sign: () => kms.sign(signing),
    TagResource: () => kms.tagResource({ ...key, Tags: [{ TagKey: "a", TagValue: "b" }] }),
    UntagResource: () => kms.untagResource({ ...key, TagKeys: ["a"] }),
    UpdateAlias: () => kms.updateAlias({ AliasName: alias, TargetKeyId: keyId }),
    UpdateKeyDescription: () => kms.updateKeyDescription({ ...key, Description: "new" }),
    Verify: () => kms.verify({ ...signing, Signature: bytes("signature") }),
    VerifyMac: () => kms.verifyMac({ ...mac, Mac: bytes("mac") }),
  };
  return calls[operation]?.();
}

describe("a key's answer depends on its state", () => {
  test.each(cells)("$operation of a key that is $state: $expected", async (cell) => {
    const { operation, state, expected } = cell;
    const keyId = await aKeyFor(operation, state);
    const prepared = await prepare(keyId, operation, state);
    await enter(keyId, state);
    const outcome = await outcomeOf(call(operation, keyId, prepared));
    // An invalid signature or MAC error proves that the call passed the state check.
    const letIn = ["KMSInvalidSignatureException", "KMSInvalidMacException"].includes(outcome);
    expect(letIn ? "ok" : outcome).toBe(expected);
  });

  test("the table covers every operation of the guide's table that the twin supports", () => {
    expect(new Set(cells.map((cell) => cell.operation)).size).toBe(39);
  });
});
