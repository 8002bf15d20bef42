import { describe, expect, test } from "vitest";
import { cheapCryptography } from "../../embedded-aws/kms/cheap-cryptography.ts";
import { realCryptography } from "../../embedded-aws/kms/cryptography.ts";
import { bareTwin, outcomeOf } from "./harness.ts";

type Secret = { SharedSecret: Uint8Array; SharedSecretCiphertextBlob: Uint8Array };
const EncapsulationAlgorithm = "ML_KEM";
const kem = { KeySpec: "ML_KEM_768", KeyUsage: "ENCAPSULATE_DECAPSULATE" } as const;

describe.each([
  ["real", realCryptography],
  ["cheap", cheapCryptography],
] as const)("key encapsulation, with %s cryptography", (_name, cryptography) => {
  const open = (KeySpec: "ML_KEM_512" | "ML_KEM_768" | "ML_KEM_1024" = "ML_KEM_768") => {
    const twin = bareTwin({ cryptography });
    return { ...twin, KeyId: twin.keyId({ ...kem, KeySpec }) };
  };

  test.each(["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"] as const)(
    "%s: what is encapsulated is decapsulated to the same secret",
    (spec) => {
      const { call, KeyId } = open(spec);
      const made = call<Secret>("Encapsulate", { KeyId, EncapsulationAlgorithm });
      const { SharedSecretCiphertextBlob } = made;
      const back = call<Secret>("Decapsulate", {
        KeyId,
        EncapsulationAlgorithm,
        SharedSecretCiphertextBlob,
      });
      expect(Buffer.from(back.SharedSecret)).toEqual(Buffer.from(made.SharedSecret));
      const { KeyMetadata } = call<{ KeyMetadata: object }>("DescribeKey", { KeyId });
      expect(KeyMetadata).toMatchObject({ EncapsulationAlgorithms: ["ML_KEM"] });
      expect(call("GetPublicKey", { KeyId })).toMatchObject({ KeySpec: spec });
    },
  );

  test("another key yields another secret, and no error", () => {
    const { call, KeyId, keyId } = open();
    const { SharedSecret, SharedSecretCiphertextBlob } = call<Secret>("Encapsulate", {
      KeyId,
      EncapsulationAlgorithm,
    });
    const other = call<Secret>("Decapsulate", {
      KeyId: keyId(kem),
      EncapsulationAlgorithm,
      SharedSecretCiphertextBlob,
    });
    expect(Buffer.from(other.SharedSecret)).not.toEqual(Buffer.from(SharedSecret));
  });

  test("what is no ciphertext of its length is refused, and so is a key of another usage", async () => {
    const { call, KeyId, keyId } = open();
    const SharedSecretCiphertextBlob = Buffer.from("short");
    const input = { KeyId, EncapsulationAlgorithm, SharedSecretCiphertextBlob };
    expect(await outcomeOf(() => call("Decapsulate", input))).toBe("InvalidCiphertextException");
    const encrypting = { KeyId: keyId(), EncapsulationAlgorithm };
    expect(await outcomeOf(() => call("Encapsulate", encrypting))).toBe("InvalidKeyUsageException");
    call("DisableKey", { KeyId });
    const disabled = () => call("Encapsulate", { KeyId, EncapsulationAlgorithm });
    expect(await outcomeOf(disabled)).toBe("DisabledException");
  });
});

describe("a grant to a service by name (May 2026)", () => {
  const Constraints = { SourceArn: "arn:aws:dynamodb:us-east-1:000000000000:table/t" };
  const service = "dynamodb.amazonaws.com";
  const input = (KeyId: string) => ({
    KeyId,
    GranteeServicePrincipal: service,
    RetiringServicePrincipal: service,
    Operations: ["Decrypt"],
    Constraints,
  });

  test("is listed without GranteePrincipal", () => {
    const { call, keyId } = bareTwin();
    const KeyId = keyId();
    call("CreateGrant", input(KeyId));
    const { Grants } = call<{ Grants: object[] }>("ListGrants", { KeyId });
    expect(Grants).toMatchObject([
      {
        GranteeServicePrincipal: service,
        RetiringServicePrincipal: service,
        Constraints,
      },
    ]);
    expect(Grants[0]).not.toHaveProperty("GranteePrincipal");
  });

  test.each<[what: string, changes: object]>([
    ["both grantee members", { GranteePrincipal: "arn:aws:iam::000000000000:role/app" }],
    ["no grantee", { GranteeServicePrincipal: undefined }],
    ["no source ARN", { Constraints: undefined }],
    ["no retiring member", { RetiringServicePrincipal: undefined }],
  ])("is refused with %s", async (_what, changes) => {
    const { call, keyId } = bareTwin();
    const made = () => call("CreateGrant", { ...input(keyId()), ...changes });
    expect(await outcomeOf(made)).toBe("ValidationException");
  });
});
