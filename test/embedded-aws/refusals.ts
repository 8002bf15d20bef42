/** For the tests of refused uses: a twin with its events, and each operation that needs a key. */
import type { CloudTrailEvent } from "../../embedded-aws/kms/cloudtrail-record.ts";
import type { UseAttemptEvent } from "../../embedded-aws/kms/use-attempts.ts";
import { account, arnOf, bareTwin, bytes, type BareTwin } from "./harness.ts";

export const message = bytes("the plaintext of a secret");
export const rsa = { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" } as const;
export const hmac = { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" } as const;
export const signing = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" } as const;
const agreement = { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" } as const;
const encapsulation = { KeySpec: "ML_KEM_768", KeyUsage: "ENCAPSULATE_DECAPSULATE" } as const;

export const macOf = { Message: message, MacAlgorithm: "HMAC_SHA_256" };
export const signatureOf = { Message: message, SigningAlgorithm: "ECDSA_SHA_256" };
const blob = { SharedSecretCiphertextBlob: bytes("blob") };
const kem = { EncapsulationAlgorithm: "ML_KEM" };

export type Trail = BareTwin & {
  refused: CloudTrailEvent[];
  attempts: UseAttemptEvent[];
  cipherUnder: (KeyId: string) => Uint8Array;
  /** A new key behind the alias; the alias moves to it if it exists. */
  behind: (AliasName: string, shape?: object) => string;
};

/** A stranger's attached policies allow nothing. */
export function aTrail(): Trail {
  const bare = bareTwin();
  const [refused, attempts]: [CloudTrailEvent[], UseAttemptEvent[]] = [[], []];
  bare.twin.onRefusedUse = (event) => void refused.push(event);
  bare.twin.onUseAttempt = (event) => void attempts.push(event);
  bare.twin.world.identityPolicies.attach(arnOf("stranger"), []);
  return {
    ...bare,
    refused,
    attempts,
    cipherUnder: (KeyId) =>
      bare.call<{ CiphertextBlob: Uint8Array }>("Encrypt", { KeyId, Plaintext: message })
        .CiphertextBlob,
    behind(AliasName, shape = {}) {
      const TargetKeyId = bare.keyId(shape);
      const exists = bare.twin.world.aliases.has(AliasName);
      bare.call(exists ? "UpdateAlias" : "CreateAlias", { AliasName, TargetKeyId });
      return TargetKeyId;
    },
  };
}

export const keyArnOf = (id: string): string => `arn:aws:kms:us-east-1:${account}:key/${id}`;

/** Each operation that needs a key, its key, and the rest of its input. */
export const uses: [operation: string, shape: object, rest: object][] = [
  ["Encrypt", {}, { Plaintext: message }],
  ["GenerateDataKey", {}, { KeySpec: "AES_256" }],
  ["GenerateDataKeyWithoutPlaintext", {}, { KeySpec: "AES_256" }],
  ["GenerateDataKeyPair", {}, { KeyPairSpec: "ECC_NIST_P256" }],
  ["GenerateDataKeyPairWithoutPlaintext", {}, { KeyPairSpec: "ECC_NIST_P256" }],
  ["Decrypt", rsa, { CiphertextBlob: message, EncryptionAlgorithm: "RSAES_OAEP_SHA_256" }],
  ["Sign", signing, signatureOf],
  ["Verify", signing, { ...signatureOf, Signature: bytes("signature") }],
  ["GenerateMac", hmac, macOf],
  ["VerifyMac", hmac, { ...macOf, Mac: bytes("mac") }],
  ["DeriveSharedSecret", agreement, { KeyAgreementAlgorithm: "ECDH", PublicKey: bytes("key") }],
  ["Encapsulate", encapsulation, kem],
  ["Decapsulate", encapsulation, { ...kem, ...blob }],
  ["CreateGrant", {}, { GranteePrincipal: arnOf("worker"), Operations: ["Decrypt"] }],
  ["GetPublicKey", signing, {}],
];
