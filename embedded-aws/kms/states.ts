/**
 * The key states in which each operation works, and its error in the others. Source: the table "Key
 * states of AWS KMS keys" in the AWS KMS Developer Guide; numbers are its footnotes.
 */
import { AwsError } from "../http/aws-error.ts";
import type { KeyState, KmsKey, PublicKeyOfDisabled } from "./types.ts";

type Footnote = 1 | 3 | 4 | 5 | 6 | 7 | 11 | 14 | 15;
type Row = Partial<Record<KeyState, Footnote>>;

const always: Row = {};

/** Footnote 2 ("DisabledException: … is pending deletion") or 3: in observation, KMS answers with 3. */
const pendingDeletion: Row = { PendingDeletion: 3, PendingReplicaDeletion: 3 };

const cryptographic: Row = {
  ...pendingDeletion,
  Disabled: 1,
  PendingImport: 5,
  Unavailable: 11,
  Creating: 14,
};

/** Not for keys in a custom key store, available or not. */
const keyPairs: Row = { ...cryptographic, Unavailable: 7 };

const switching: Row = { ...pendingDeletion, PendingImport: 5, Creating: 14, Updating: 15 };

const rotation: Row = { ...pendingDeletion, Disabled: 1, PendingImport: 6, Creating: 14 };

const rows: Record<string, Row> = {
  CancelKeyDeletion: {
    Enabled: 4,
    Disabled: 4,
    PendingImport: 4,
    Unavailable: 4,
    Creating: 4,
    Updating: 4,
  },
  CreateAlias: pendingDeletion,
  CreateGrant: { ...pendingDeletion, Disabled: 1, PendingImport: 5, Creating: 14 },
  Decapsulate: cryptographic,
  Decrypt: cryptographic,
  DeleteAlias: always,
  DeriveSharedSecret: cryptographic,
  DescribeKey: always,
  DisableKey: switching,
  DisableKeyRotation: rotation,
  EnableKey: switching,
  EnableKeyRotation: rotation,
  Encapsulate: cryptographic,
  Encrypt: cryptographic,
  GenerateDataKey: cryptographic,
  GenerateDataKeyPair: keyPairs,
  GenerateDataKeyPairWithoutPlaintext: keyPairs,
  GenerateDataKeyWithoutPlaintext: cryptographic,
  GenerateMac: cryptographic,
  // Not in the table: the guide to last usage names no state in which it fails.
  GetKeyLastUsage: always,
  GetKeyPolicy: always,
  GetKeyRotationStatus: { PendingImport: 6 },
  GetPublicKey: { ...pendingDeletion, Creating: 14 },
  ListAliases: always,
  ListGrants: always,
  ListKeyPolicies: always,
  ListKeyRotations: always,
  ListResourceTags: always,
  PutKeyPolicy: always,
  ReEncrypt: cryptographic,
  RetireGrant: always,
  RevokeGrant: always,
  RotateKeyOnDemand: { ...rotation, PendingImport: 5 },
  ScheduleKeyDeletion: { ...pendingDeletion, Updating: 15 },
  Sign: cryptographic,
  TagResource: pendingDeletion,
  UntagResource: pendingDeletion,
  // The destination's state; footnote 10: the source may be pending deletion.
  UpdateAlias: pendingDeletion,
  UpdateKeyDescription: pendingDeletion,
  Verify: cryptographic,
  VerifyMac: cryptographic,
};

export function checkState(
  operation: string,
  key: KmsKey,
  { publicKeyOfDisabled }: { publicKeyOfDisabled: PublicKeyOfDisabled },
): void {
  const isRefused = operation === "GetPublicKey" && publicKeyOfDisabled === "refused";
  if (isRefused && key.state === "Disabled") throw refusal(1, key);
  const row = rows[operation];
  if (row === undefined) throw new Error(`no row of the key state table for ${operation}`);
  const footnote = row[key.state];
  if (footnote !== undefined) throw refusal(footnote, key);
}

/** EC2 begins to attach a volume with CreateGrant; a verifier fetches the public key. */
const needing = new Set(["CreateGrant", "GetPublicKey"]);

/** Whether a call of the operation needs its key. */
export function isUse(operation: string): boolean {
  const row = rows[operation];
  // Only cryptographic operations have these two rows of the table.
  return row === cryptographic || row === keyPairs || needing.has(operation);
}

function refusal(footnote: Footnote, key: KmsKey): AwsError {
  const invalid = (message: string) =>
    new AwsError("KMSInvalidStateException", `${key.arn} ${message}`);
  switch (footnote) {
    case 1:
      return new AwsError("DisabledException", `${key.arn} is disabled.`);
    case 3:
      return invalid(
        key.state === "PendingReplicaDeletion"
          ? "is pending replica deletion."
          : "is pending deletion.",
      );
    case 4:
      return invalid("is not pending deletion.");
    case 5:
      return invalid("is pending import.");
    case 6:
    case 7:
      return unsupportedOrigin(key);
    case 11:
      return invalid("is unavailable.");
    case 14:
      return invalid("is creating.");
    case 15:
      return invalid("is updating.");
  }
}

export function unsupportedOrigin(key: KmsKey): AwsError {
  const message = `${key.arn} origin is ${key.origin} which is not valid for this operation.`;
  return new AwsError("UnsupportedOperationException", message);
}
