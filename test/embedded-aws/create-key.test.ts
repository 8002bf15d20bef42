import type { CreateKeyCommandInput, CreateKeyCommandOutput } from "@aws-sdk/client-kms";
import { describe, expect, test } from "vitest";
import { bareTwin, outcomeOf } from "./harness.ts";

const stores = [
  { id: "cks-hsm", type: "AWS_CLOUDHSM" as const, connected: true },
  { id: "cks-xks", type: "EXTERNAL_KEY_STORE" as const, connected: true },
  { id: "cks-off", type: "AWS_CLOUDHSM" as const, connected: false },
];

const create = (input: object) => {
  const { call } = bareTwin({ customKeyStores: stores });
  return outcomeOf(() => call("CreateKey", input));
};

describe("the kinds of keys", () => {
  const supported = {
    SYMMETRIC_DEFAULT: ["ENCRYPT_DECRYPT"],
    RSA_2048: ["ENCRYPT_DECRYPT", "SIGN_VERIFY"],
    RSA_3072: ["ENCRYPT_DECRYPT", "SIGN_VERIFY"],
    RSA_4096: ["ENCRYPT_DECRYPT", "SIGN_VERIFY"],
    ECC_NIST_P256: ["SIGN_VERIFY", "KEY_AGREEMENT"],
    ECC_NIST_P384: ["SIGN_VERIFY", "KEY_AGREEMENT"],
    ECC_NIST_P521: ["SIGN_VERIFY", "KEY_AGREEMENT"],
    ECC_SECG_P256K1: ["SIGN_VERIFY"],
    ECC_NIST_EDWARDS25519: ["SIGN_VERIFY"],
    HMAC_224: ["GENERATE_VERIFY_MAC"],
    HMAC_256: ["GENERATE_VERIFY_MAC"],
    HMAC_384: ["GENERATE_VERIFY_MAC"],
    HMAC_512: ["GENERATE_VERIFY_MAC"],
    ML_DSA_44: ["SIGN_VERIFY"],
    ML_DSA_65: ["SIGN_VERIFY"],
    ML_DSA_87: ["SIGN_VERIFY"],
  };
  const usages = ["ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"];
  const pairs = Object.entries(supported).flatMap(([KeySpec, supported]) =>
    usages.map((KeyUsage) => ({
      KeySpec,
      KeyUsage,
      expected: supported.includes(KeyUsage) ? "ok" : "ValidationException",
    })),
  );

  test.each(pairs)("$KeySpec for $KeyUsage: $expected", async ({ expected, ...input }) => {
    expect(await create(input)).toBe(expected);
  });

  test.each([
    [{ KeySpec: "SM2", KeyUsage: "SIGN_VERIFY" }, "UnsupportedOperationException"],
    [{ KeySpec: "ML_KEM_768", KeyUsage: "ENCAPSULATE_DECAPSULATE" }, "ok"],
    [{ KeySpec: "ML_KEM_768", KeyUsage: "SIGN_VERIFY" }, "ValidationException"],
    [{ KeySpec: "RSA_1024", KeyUsage: "SIGN_VERIFY" }, "ValidationException"],
    [{ KeySpec: "RSA_2048" }, "ValidationException"],
    [{ KeySpec: "RSA_2048", CustomerMasterKeySpec: "RSA_2048" }, "ValidationException"],
    [{ CustomerMasterKeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" }, "ok"],
    [{ Description: "x".repeat(8193) }, "ValidationException"],
    [{ Description: "x".repeat(8192) }, "ok"],
  ])("%j: %s", async (input, expected) => {
    expect(await create(input)).toBe(expected);
  });
});

describe("the origin of a key's material", () => {
  const xks = { Origin: "EXTERNAL_KEY_STORE", CustomKeyStoreId: "cks-xks", XksKeyId: "k1" };
  const hsm = { Origin: "AWS_CLOUDHSM", CustomKeyStoreId: "cks-hsm" };
  const hmac = { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" };

  test.each([
    [hsm, "ok"],
    [xks, "ok"],
    [{ Origin: "EXTERNAL" }, "ok"],
    [{ Origin: "AWS_CLOUDHSM" }, "ValidationException"],
    [{ CustomKeyStoreId: "cks-hsm" }, "ValidationException"],
    [{ XksKeyId: "k1" }, "ValidationException"],
    [{ ...xks, XksKeyId: undefined }, "ValidationException"],
    [{ ...hsm, XksKeyId: "k1" }, "ValidationException"],
    [{ ...hsm, CustomKeyStoreId: "cks-none" }, "CustomKeyStoreNotFoundException"],
    [{ ...hsm, CustomKeyStoreId: "cks-xks" }, "CustomKeyStoreNotFoundException"],
    [{ ...hsm, CustomKeyStoreId: "cks-off" }, "CustomKeyStoreInvalidStateException"],
    [{ ...hsm, ...hmac }, "UnsupportedOperationException"],
    [{ ...hsm, MultiRegion: true }, "UnsupportedOperationException"],
  ])("%j: %s", async (input, expected) => {
    expect(await create(input)).toBe(expected);
  });

  test("each key of an external key store has its own external key", async () => {
    const { call } = bareTwin({ customKeyStores: stores });
    call("CreateKey", xks);
    expect(await outcomeOf(() => call("CreateKey", xks))).toBe("XksKeyAlreadyInUseException");
    expect(await outcomeOf(() => call("CreateKey", { ...xks, XksKeyId: "k2" }))).toBe("ok");
  });

  test("a key pending import is not enabled, and has no material", () => {
    const { call } = bareTwin();
    const { KeyMetadata } = call<CreateKeyCommandOutput>("CreateKey", { Origin: "EXTERNAL" });
    expect(KeyMetadata).toMatchObject({ KeyState: "PendingImport", Enabled: false });
    expect(KeyMetadata).not.toHaveProperty("CurrentKeyMaterialId");
  });
});

test("an account has no more keys than its quota, in any state", async () => {
  const { twin, call, keyId } = bareTwin({ keyQuota: 2 });
  twin.addAwsManagedKey("s3");
  const inputs: CreateKeyCommandInput[] = [{}, {}];
  const [first = ""] = inputs.map((input) => keyId(input));
  call("ScheduleKeyDeletion", { KeyId: first, PendingWindowInDays: 7 });
  expect(await outcomeOf(() => keyId())).toBe("LimitExceededException");
});
