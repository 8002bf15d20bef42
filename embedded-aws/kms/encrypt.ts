/** Encrypt, Decrypt and ReEncrypt, by their pages in the AWS KMS API reference. */
import { AwsError } from "../http/aws-error.ts";
import { list, oneOf, structure, type Read } from "../http/shape.ts";
import {
  boundContext,
  invalidCiphertext,
  readCiphertext,
  writeCiphertext,
  type CiphertextParts,
} from "./ciphertext.ts";
import {
  ciphertextShape,
  cryptographicOptions,
  encryptionAlgorithmShape,
  encryptionContextShape,
  keyIdShape,
  plaintextShape,
  recipientShape,
} from "./common-shapes.ts";
import { checkAlgorithm } from "./key-specs.ts";
import { operation } from "./operation.ts";
import type { Call, KmsKey } from "./types.ts";
import { recordUse } from "./last-use.ts";
import { currentMaterial, endDryRun, materialById, useKey } from "./use-key.ts";

type Context = Record<string, string> | undefined;

const symmetric = "SYMMETRIC_DEFAULT";
const dryRunModifiers = list(oneOf("IGNORE_CIPHERTEXT"));

const encryptInput = structure(
  { KeyId: keyIdShape, Plaintext: plaintextShape },
  {
    EncryptionContext: encryptionContextShape,
    EncryptionAlgorithm: encryptionAlgorithmShape,
    ...cryptographicOptions,
  },
);

const decryptInput = structure(
  {},
  {
    CiphertextBlob: ciphertextShape,
    EncryptionContext: encryptionContextShape,
    KeyId: keyIdShape,
    EncryptionAlgorithm: encryptionAlgorithmShape,
    Recipient: recipientShape,
    DryRunModifiers: dryRunModifiers,
    ...cryptographicOptions,
  },
);

const reEncryptInput = structure(
  { DestinationKeyId: keyIdShape },
  {
    CiphertextBlob: ciphertextShape,
    SourceEncryptionContext: encryptionContextShape,
    SourceKeyId: keyIdShape,
    SourceEncryptionAlgorithm: encryptionAlgorithmShape,
    DestinationEncryptionContext: encryptionContextShape,
    DestinationEncryptionAlgorithm: encryptionAlgorithmShape,
    DryRunModifiers: dryRunModifiers,
    ...cryptographicOptions,
  },
);

export const encryptOperations = {
  Encrypt: operation(encryptInput, (call, input) => {
    const algorithm = input.EncryptionAlgorithm ?? symmetric;
    const values = { "kms:EncryptionAlgorithm": algorithm };
    const encryptionContext = input.EncryptionContext;
    const facts = { encryptionContext, values };
    const key = useKey(call, input, "ENCRYPT_DECRYPT", facts);
    checkEncryption(key, algorithm, input.EncryptionContext, input.Plaintext);
    endDryRun(input);
    const ciphertext = encryptUnder(call, key, algorithm, input.Plaintext, encryptionContext);
    recordUse(call, key, "Encrypt");
    return { CiphertextBlob: ciphertext, KeyId: key.arn, EncryptionAlgorithm: algorithm };
  }),

  Decrypt: operation(decryptInput, (call, input) => {
    const source = openSource(call, input, "Decrypt");
    endDryRun(input);
    const { plaintext, materialId } = decryptUnder(call, source);
    recordUse(call, source.key, "Decrypt");
    return {
      KeyId: source.key.arn,
      Plaintext: plaintext,
      EncryptionAlgorithm: source.algorithm,
      ...(materialId === undefined ? {} : { KeyMaterialId: materialId }),
    };
  }),

  ReEncrypt: operation(reEncryptInput, reEncrypt),
};

function reEncrypt(call: Call, input: Read<typeof reEncryptInput>) {
  const source = openSource(call, sourceOf(input), "ReEncryptFrom");
  const algorithm = input.DestinationEncryptionAlgorithm ?? symmetric;
  const context = input.DestinationEncryptionContext;
  const destination = useKey(
    call,
    { KeyId: input.DestinationKeyId, ...tokensOf(input) },
    "ENCRYPT_DECRYPT",
    {
      action: "ReEncryptTo",
      encryptionContext: context,
      values: { "kms:EncryptionAlgorithm": algorithm },
    },
  );
  checkEncryption(destination, algorithm, context, undefined);
  endDryRun(input);
  const opened = decryptUnder(call, source);
  checkEncryption(destination, algorithm, context, opened.plaintext);
  const ciphertext = encryptUnder(call, destination, algorithm, opened.plaintext, context);
  recordUse(call, source.key, "ReEncrypt");
  recordUse(call, destination, "ReEncrypt");
  return {
    CiphertextBlob: ciphertext,
    SourceKeyId: source.key.arn,
    KeyId: destination.arn,
    SourceEncryptionAlgorithm: source.algorithm,
    DestinationEncryptionAlgorithm: algorithm,
    ...(opened.materialId === undefined ? {} : { SourceKeyMaterialId: opened.materialId }),
    ...(algorithm === symmetric
      ? { DestinationKeyMaterialId: currentMaterial(call, destination).id }
      : {}),
  };
}

type SourceInput = Read<typeof decryptInput>;

type Source = {
  key: KmsKey;
  algorithm: string;
  context: Context;
  /** The whole ciphertext, and the parts of a symmetric one. Both absent in a blind dry run. */
  blob: Uint8Array | undefined;
  parts: CiphertextParts | undefined;
};

function sourceOf(input: Read<typeof reEncryptInput>): SourceInput {
  const renamed = {
    CiphertextBlob: input.CiphertextBlob,
    EncryptionContext: input.SourceEncryptionContext,
    KeyId: input.SourceKeyId,
    EncryptionAlgorithm: input.SourceEncryptionAlgorithm,
    DryRun: input.DryRun,
    DryRunModifiers: input.DryRunModifiers,
    GrantTokens: input.GrantTokens,
  };
  const given = Object.entries(renamed).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

/** The decrypting key: from the request, or from a symmetric ciphertext. */
function openSource(call: Call, input: SourceInput, action: string): Source {
  const algorithm = input.EncryptionAlgorithm ?? symmetric;
  const blind = input.DryRun === true && input.DryRunModifiers?.includes("IGNORE_CIPHERTEXT");
  const { CiphertextBlob: blob, EncryptionContext: context } = input;
  if (blob === undefined && blind !== true) throw required("ciphertextBlob");
  const parts = blob === undefined || algorithm !== symmetric ? undefined : readCiphertext(blob);
  if (algorithm === symmetric && parts === undefined && blind !== true) throw invalidCiphertext();
  const keyId = input.KeyId ?? knownKey(call, parts?.keyId);
  if (keyId === undefined) throw required("keyId");
  const facts = {
    action,
    encryptionContext: context,
    values: { "kms:EncryptionAlgorithm": algorithm },
  };
  const request = { KeyId: keyId, ...tokensOf(input) };
  const key = useKey(call, request, "ENCRYPT_DECRYPT", { ...facts, mustBe: parts?.keyId });
  checkEncryption(key, algorithm, context, undefined);
  return { key, algorithm, context, blob, parts };
}

/** For a ciphertext whose key is deleted: KMS does not name the key. */
function knownKey(call: Call, keyId: string | undefined): string | undefined {
  if (keyId === undefined || call.world.keys.has(keyId)) return keyId;
  const message =
    "The ciphertext refers to a customer master key that does not exist, " +
    "does not exist in this region, or you are not allowed to access.";
  throw new AwsError("AccessDeniedException", message);
}

function checkEncryption(
  key: KmsKey,
  algorithm: string,
  context: Context,
  plaintext: Uint8Array | undefined,
): void {
  checkAlgorithm(key, algorithm);
  if (algorithm === symmetric) return;
  if (context !== undefined && Object.keys(context).length > 0) {
    throw invalid("EncryptionContext is not supported with asymmetric KMS keys.");
  }
  const maxBytes = Number(key.spec.slice("RSA_".length)) / 8 - overhead(algorithm);
  if (plaintext === undefined || plaintext.length <= maxBytes) return;
  const pair = `Algorithm ${algorithm} and key spec ${key.spec}`;
  throw invalid(`${pair} cannot encrypt data larger than ${maxBytes} bytes.`);
}

/** OAEP uses two hashes and two bytes of the modulus (RFC 8017, section 7.1.1). */
function overhead(algorithm: string): number {
  return algorithm === "RSAES_OAEP_SHA_1" ? 2 * 20 + 2 : 2 * 32 + 2;
}

export function encryptUnder(
  call: Call,
  key: KmsKey,
  algorithm: string,
  plaintext: Uint8Array,
  context: Context,
): Uint8Array {
  const { cryptography } = call.world;
  const material = currentMaterial(call, key);
  if (algorithm !== symmetric) return cryptography.encrypt(material.made, algorithm, plaintext);
  const sealed = cryptography.seal(material.made, plaintext, boundContext(context));
  return writeCiphertext({ keyId: key.keyId, materialId: material.id, sealed });
}

function decryptUnder(call: Call, source: Source): { plaintext: Uint8Array; materialId?: string } {
  const { key, algorithm, blob, parts } = source;
  const { cryptography } = call.world;
  if (parts === undefined) {
    const { made } = currentMaterial(call, key);
    const plaintext = cryptography.decrypt(made, algorithm, blob ?? new Uint8Array());
    if (plaintext === undefined) throw notOpenedBy(call, key);
    return { plaintext };
  }
  const { materialId, sealed } = parts;
  const material = materialById(call, key, materialId);
  const bound = boundContext(source.context);
  const plaintext = material === undefined ? undefined : cryptography.open(material, sealed, bound);
  if (plaintext === undefined) throw notOpenedBy(call, key);
  return { plaintext, materialId };
}

/** ReEncrypt found its destination last, but the error is the source's. */
function notOpenedBy(call: Call, key: KmsKey): AwsError {
  call.keyId = key.keyId;
  return invalidCiphertext();
}

function tokensOf(input: { GrantTokens?: string[] }): { GrantTokens?: string[] } {
  return input.GrantTokens === undefined ? {} : { GrantTokens: input.GrantTokens };
}

function required(member: string): AwsError {
  const rule = "failed to satisfy constraint: Member must not be null";
  return invalid(`1 validation error detected: Value null at '${member}' ${rule}`);
}

function invalid(message: string): AwsError {
  return new AwsError("ValidationException", message);
}
