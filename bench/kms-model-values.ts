/** Valid requests for every operation of the embedded AWS: minimal ones, and what a full one has in addition. */
type Ask = (operation: string, input: object) => unknown;
type Input = Record<string, unknown>;

const text = Buffer.from("keyturn").toString("base64");
const root = "arn:aws:iam::000000000000:root";
const policy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: root }, Action: "kms:*", Resource: "*" }],
});

const kinds: Record<string, object> = {
  signing: { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" },
  mac: { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
  agreement: { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" },
  encapsulation: { KeySpec: "ML_KEM_768", KeyUsage: "ENCAPSULATE_DECAPSULATE" },
};

function keysOf(ask: Ask) {
  return (kind = "symmetric"): string => {
    const made = ask("CreateKey", kinds[kind] ?? {}) as { KeyMetadata: { KeyId: string } };
    return made.KeyMetadata.KeyId;
  };
}

/** The input of a minimal request, after what it needs was made. */
export function preparedFor(operation: string, ask: Ask): Input {
  const key = keysOf(ask);
  const grant = (KeyId: string) =>
    ask("CreateGrant", { KeyId, GranteePrincipal: root, Operations: ["Decrypt"] }) as Input;
  switch (operation) {
    case "CreateKey":
    case "GenerateRandom":
    case "ListAliases":
    case "ListKeys":
      return operation === "GenerateRandom" ? { NumberOfBytes: 32 } : {};
    case "CreateAlias":
      return { AliasName: "alias/one", TargetKeyId: key() };
    case "UpdateAlias":
    case "DeleteAlias": {
      const TargetKeyId = key();
      ask("CreateAlias", { AliasName: "alias/one", TargetKeyId });
      return { AliasName: "alias/one", ...(operation === "UpdateAlias" ? { TargetKeyId } : {}) };
    }
    case "CancelKeyDeletion": {
      const KeyId = key();
      ask("ScheduleKeyDeletion", { KeyId });
      return { KeyId };
    }
    case "CreateGrant":
      return { KeyId: key(), GranteePrincipal: root, Operations: ["Decrypt"] };
    case "RevokeGrant": {
      const KeyId = key();
      return { KeyId, GrantId: grant(KeyId)["GrantId"] };
    }
    case "RetireGrant":
      return { GrantToken: grant(key())["GrantToken"] };
    case "ListRetirableGrants":
      return { RetiringPrincipal: root };
    case "PutKeyPolicy":
      return { KeyId: key(), Policy: policy };
    case "TagResource":
      return { KeyId: key(), Tags: [{ TagKey: "a", TagValue: "b" }] };
    case "UntagResource":
      return { KeyId: key(), TagKeys: ["a"] };
    case "UpdateKeyDescription":
      return { KeyId: key(), Description: "one" };
    default:
      return usePreparedFor(operation, ask) ?? { KeyId: key() };
  }
}

/** The same for cryptographic operations. */
function usePreparedFor(operation: string, ask: Ask): Input | undefined {
  const key = keysOf(ask);
  const encrypted = (KeyId: string) =>
    (ask("Encrypt", { KeyId, Plaintext: text }) as Input)["CiphertextBlob"];
  switch (operation) {
    case "Encrypt":
      return { KeyId: key(), Plaintext: text };
    case "Decrypt":
      return { CiphertextBlob: encrypted(key()) };
    case "ReEncrypt":
      return { CiphertextBlob: encrypted(key()), DestinationKeyId: key() };
    case "GenerateDataKey":
    case "GenerateDataKeyWithoutPlaintext":
      return { KeyId: key(), KeySpec: "AES_256" };
    case "GenerateDataKeyPair":
    case "GenerateDataKeyPairWithoutPlaintext":
      return { KeyId: key(), KeyPairSpec: "ECC_NIST_P256" };
    case "GenerateMac":
      return { KeyId: key("mac"), Message: text, MacAlgorithm: "HMAC_SHA_256" };
    case "VerifyMac": {
      const maced = { KeyId: key("mac"), Message: text, MacAlgorithm: "HMAC_SHA_256" };
      return { ...maced, Mac: (ask("GenerateMac", maced) as Input)["Mac"] };
    }
    case "Sign":
      return { KeyId: key("signing"), Message: text, SigningAlgorithm: "ECDSA_SHA_256" };
    case "Verify": {
      const signed = { KeyId: key("signing"), Message: text, SigningAlgorithm: "ECDSA_SHA_256" };
      return { ...signed, Signature: (ask("Sign", signed) as Input)["Signature"] };
    }
    case "GetPublicKey":
      return { KeyId: key("signing") };
    case "DeriveSharedSecret": {
      const { PublicKey } = ask("GetPublicKey", { KeyId: key("agreement") }) as Input;
      return { KeyId: key("agreement"), KeyAgreementAlgorithm: "ECDH", PublicKey };
    }
    case "Encapsulate":
      return { KeyId: key("encapsulation"), EncapsulationAlgorithm: "ML_KEM" };
    case "Decapsulate": {
      const made = { KeyId: key("encapsulation"), EncapsulationAlgorithm: "ML_KEM" };
      const { SharedSecretCiphertextBlob } = ask("Encapsulate", made) as Input;
      return { ...made, SharedSecretCiphertextBlob };
    }
    default:
      return undefined;
  }
}

/** Members that a full request has too, without those that exclude each other. */
export function extras(operation: string, valid: object): Input {
  const context = { EncryptionContext: {} };
  const common = { GrantTokens: [], DryRun: false };
  switch (operation) {
    case "CreateKey":
      return {
        ...{ Policy: policy, Description: "one", KeyUsage: "ENCRYPT_DECRYPT", MultiRegion: false },
        ...{
          KeySpec: "SYMMETRIC_DEFAULT",
          Origin: "AWS_KMS",
          Tags: [{ TagKey: "a", TagValue: "" }],
        },
        BypassPolicyLockoutSafetyCheck: false,
      };
    case "CreateGrant":
      return {
        ...{ ...common, RetiringPrincipal: root, Name: "one" },
        Constraints: { EncryptionContextEquals: { a: "b" } },
      };
    case "Decrypt":
    case "Encrypt":
      return { ...common, ...context, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" };
    case "ReEncrypt":
      return {
        ...{ ...common, SourceEncryptionContext: {}, DestinationEncryptionContext: {} },
        ...{ SourceEncryptionAlgorithm: "SYMMETRIC_DEFAULT" },
        ...{ DestinationEncryptionAlgorithm: "SYMMETRIC_DEFAULT" },
      };
    case "GenerateDataKey":
    case "GenerateDataKeyWithoutPlaintext":
    case "GenerateDataKeyPair":
    case "GenerateDataKeyPairWithoutPlaintext":
      return { ...common, ...context };
    case "Sign":
    case "Verify":
      return { ...common, MessageType: "RAW" };
    case "GenerateMac":
    case "VerifyMac":
    case "DeriveSharedSecret":
    case "Encapsulate":
    case "Decapsulate":
      return common;
    case "DescribeKey":
    case "GetPublicKey":
      return { GrantTokens: [] };
    case "RevokeGrant":
    case "RetireGrant":
      return { DryRun: false };
    case "EnableKeyRotation":
      return { RotationPeriodInDays: 90 };
    case "ScheduleKeyDeletion":
      return { PendingWindowInDays: 7 };
    case "GetKeyPolicy":
      return { PolicyName: "default" };
    case "PutKeyPolicy":
      return { PolicyName: "default", BypassPolicyLockoutSafetyCheck: false };
    case "ListGrants":
      return { Limit: 10, GranteePrincipal: root };
    case "ListKeyRotations":
      return { Limit: 10, IncludeKeyMaterial: "ALL_KEY_MATERIAL" };
    case "ListKeys":
      return { Limit: 10, ResourceOwners: ["SELF"] };
    default:
      return operation.startsWith("List") ? { ...valid, Limit: 10 } : {};
  }
}

type Shapes = Record<
  string,
  {
    type: string;
    required?: string[];
    members?: Record<string, { shape: string }>;
    enum?: string[];
    min?: number;
  }
>;

/** A valid value of a member of a list or a structure. */
export function needed(shapes: Shapes, name: string): unknown {
  const shape = shapes[name];
  switch (shape?.type) {
    case "structure":
      return Object.fromEntries(
        (shape.required ?? []).map((member) => [
          member,
          needed(shapes, shape.members?.[member]?.shape ?? ""),
        ]),
      );
    case "string":
      return shape.enum?.[0] ?? "a".repeat(Math.max(1, shape.min ?? 1));
    default:
      return undefined;
  }
}
