/** The operations a grant may permit by key. Source: "Grant operations", "Using grant constraints". */
import { AwsError } from "../http/aws-error.ts";
import { traitsOf } from "./key-specs.ts";
import { accountOf } from "./principals.ts";
import type { Grant, GrantConstraints, KmsKey, World } from "./types.ts";

export const grantOperationNames = [
  "Decrypt",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "ReEncryptFrom",
  "ReEncryptTo",
  "Sign",
  "Verify",
  "GetPublicKey",
  "CreateGrant",
  "RetireGrant",
  "DescribeKey",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
  "GenerateMac",
  "VerifyMac",
  "DeriveSharedSecret",
  "Encapsulate",
  "Decapsulate",
] as const;

const everyKey = ["CreateGrant", "RetireGrant", "DescribeKey"];
const encryption = ["Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo"];
const dataKeys = ["", "WithoutPlaintext", "Pair", "PairWithoutPlaintext"].map(
  (suffix) => `GenerateDataKey${suffix}`,
);

function grantableOn(key: KmsKey): string[] {
  const { type } = traitsOf(key.spec);
  const onPublicKey = type === "asymmetric" ? ["GetPublicKey"] : [];
  switch (key.usage) {
    case "ENCRYPT_DECRYPT":
      return [...everyKey, ...encryption, ...(type === "symmetric" ? dataKeys : onPublicKey)];
    case "SIGN_VERIFY":
      return [...everyKey, ...onPublicKey, "Sign", "Verify"];
    case "GENERATE_VERIFY_MAC":
      return [...everyKey, "GenerateMac", "VerifyMac"];
    case "KEY_AGREEMENT":
      return [...everyKey, ...onPublicKey, "DeriveSharedSecret"];
    case "ENCAPSULATE_DECAPSULATE":
      return [...everyKey, ...onPublicKey, "Encapsulate", "Decapsulate"];
  }
}

/** "You cannot create a grant for an operation that is not supported on the KMS key." */
export function checkGrantable(
  key: KmsKey,
  operations: string[],
  constraints: GrantConstraints | undefined,
): void {
  if (operations.length === 0) throw invalid("Operations must not be empty");
  const grantable = grantableOn(key);
  const refused = operations.find((operation) => !grantable.includes(operation));
  if (refused !== undefined) {
    throw invalid(`Operation ${refused} is not valid for a grant on ${key.arn}`);
  }
  const { SourceArn: _, ...contexts } = constraints ?? {};
  const constrained = Object.keys(contexts).length > 0;
  if (!constrained || key.spec === "SYMMETRIC_DEFAULT") return;
  const used = operations.filter((operation) => !everyKey.includes(operation));
  if (used.length > 0) throw invalid("Grant constraints need a symmetric encryption key");
}

/** A principal that may create grants only by a grant passes on at most that grant's permissions. */
export function isPartOf(
  wanted: { operations: string[]; constraints?: GrantConstraints },
  held: Grant,
): boolean {
  if (!wanted.operations.every((operation) => held.operations.includes(operation))) return false;
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } =
    held.constraints ?? {};
  const wantedEquals = wanted.constraints?.EncryptionContextEquals;
  const wantedPairs = wantedEquals ?? wanted.constraints?.EncryptionContextSubset ?? {};
  const keeps = (pairs: Record<string, string>) =>
    Object.entries(pairs).every(([name, value]) => wantedPairs[name] === value);
  if (subset !== undefined && !keeps(subset)) return false;
  if (equals === undefined) return true;
  const size = Object.keys(wantedEquals ?? {}).length;
  return wantedEquals !== undefined && keeps(equals) && size === Object.keys(equals).length;
}

type Members = {
  GranteePrincipal?: string;
  GranteeServicePrincipal?: string;
  RetiringPrincipal?: string;
  RetiringServicePrincipal?: string;
  Constraints?: GrantConstraints;
};

/** "CreateGrant" (May 2026): one grantee member; a service needs a source ARN and a retiring member. */
export function checkGrantMembers(input: Members): void {
  const { GranteePrincipal: principal, GranteeServicePrincipal: service } = input;
  if ((principal === undefined) === (service === undefined)) {
    throw invalid("Specify either GranteePrincipal or GranteeServicePrincipal");
  }
  const { RetiringPrincipal: retiring, RetiringServicePrincipal: retiringService } = input;
  if (retiring !== undefined && retiringService !== undefined) {
    throw invalid("Specify either RetiringPrincipal or RetiringServicePrincipal");
  }
  if (service === undefined) return;
  if (input.Constraints?.SourceArn === undefined || (retiring ?? retiringService) === undefined) {
    throw invalid("GranteeServicePrincipal needs a SourceArn constraint and a retiring principal");
  }
}

/** "Valid principals include AWS accounts, IAM users, IAM roles, federated users", and services. */
export function checkGrantPrincipal(
  { unknownPrincipals }: Pick<World, "unknownPrincipals">,
  name: string | undefined,
): void {
  if (name === undefined) return;
  if (accountOf(name) !== undefined && !unknownPrincipals.has(name)) return;
  if (/^[a-z0-9.-]+\.amazonaws\.com$/.test(name)) return;
  throw new AwsError("InvalidArnException", `ARN ${name} is not a valid principal`);
}

/** One constraint on the encryption context: "Each constraint value can include up to 8 encryption context pairs" of up to 384 characters. */
export function checkConstraints(constraints: GrantConstraints | undefined): void {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = constraints ?? {};
  if (equals !== undefined && subset !== undefined) {
    throw invalid("Specify either EncryptionContextEquals or EncryptionContextSubset");
  }
  for (const pairs of [equals ?? {}, subset ?? {}]) {
    const values = Object.values(pairs);
    if (values.length > 8) throw invalid("A grant constraint has at most 8 pairs");
    if (values.some((value) => value.length > 384)) {
      throw invalid("A value of a grant constraint has at most 384 characters");
    }
  }
}

function invalid(message: string): AwsError {
  return new AwsError("ValidationException", message);
}
