/** "Cryptographic operations" in the KMS Developer Guide, as far as they use a KMS key. */

/** They make data that somebody must read later (docs/glossary.md, originate). */
export const originating: ReadonlySet<string> = new Set([
  "Encapsulate",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateMac",
  "Sign",
]);

/** They read what exists. Both parties call DeriveSharedSecret, and ReEncrypt also originates, with another key. */
export const processing: ReadonlySet<string> = new Set([
  "Decapsulate",
  "Decrypt",
  "DeriveSharedSecret",
  "ReEncrypt",
  "Verify",
  "VerifyMac",
]);

export const cryptographicOperations: ReadonlySet<string> = new Set([
  ...originating,
  ...processing,
]);
