/** Sign, Verify, GenerateMac and VerifyMac, by their pages in the AWS KMS API reference. */
import { AwsError } from "../http/aws-error.ts";
import { blob, oneOf, structure } from "../http/shape.ts";
import {
  ciphertextShape,
  cryptographicOptions,
  keyIdShape,
  plaintextShape,
} from "./common-shapes.ts";
import { hashBytesOf, type Signing } from "./cryptography.ts";
import { checkAlgorithm } from "./key-specs.ts";
import { operation } from "./operation.ts";
import type { Call, KmsKey } from "./types.ts";
import { recordUse } from "./last-use.ts";
import { currentMaterial, endDryRun, useKey } from "./use-key.ts";

const signingAlgorithm = oneOf(
  "RSASSA_PSS_SHA_256",
  "RSASSA_PSS_SHA_384",
  "RSASSA_PSS_SHA_512",
  "RSASSA_PKCS1_V1_5_SHA_256",
  "RSASSA_PKCS1_V1_5_SHA_384",
  "RSASSA_PKCS1_V1_5_SHA_512",
  "ECDSA_SHA_256",
  "ECDSA_SHA_384",
  "ECDSA_SHA_512",
  "SM2DSA",
  "ML_DSA_SHAKE_256",
  "ED25519_SHA_512",
  "ED25519_PH_SHA_512",
);

const macAlgorithm = oneOf("HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512");
const messageType = oneOf("RAW", "DIGEST", "EXTERNAL_MU");

const signMembers = {
  KeyId: keyIdShape,
  Message: blob({ min: 1, max: 4096 }),
  SigningAlgorithm: signingAlgorithm,
};
const signOptions = { MessageType: messageType, ...cryptographicOptions };
const macMembers = { KeyId: keyIdShape, Message: plaintextShape, MacAlgorithm: macAlgorithm };

type SigningInput = {
  KeyId: string;
  Message: Uint8Array;
  MessageType?: "RAW" | "DIGEST" | "EXTERNAL_MU";
  SigningAlgorithm: string;
  GrantTokens?: string[];
  DryRun?: boolean;
};

type MacInput = { KeyId: string; Message: Uint8Array; MacAlgorithm: string; DryRun?: boolean };

export const signOperations = {
  Sign: operation(structure(signMembers, signOptions), (call, input) => {
    const { key, signing } = openToSign(call, input);
    endDryRun(input);
    const { made } = currentMaterial(call, key);
    const signature = call.world.cryptography.sign(made, signing);
    recordUse(call, key, "Sign");
    return { KeyId: key.arn, Signature: signature, SigningAlgorithm: signing.algorithm };
  }),

  Verify: operation(
    structure({ ...signMembers, Signature: ciphertextShape }, signOptions),
    (call, input) => {
      const { key, signing } = openToSign(call, input);
      endDryRun(input);
      const { made } = currentMaterial(call, key);
      if (!call.world.cryptography.verify(made, signing, input.Signature)) {
        throw new AwsError("KMSInvalidSignatureException", "");
      }
      recordUse(call, key, "Verify");
      return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm: signing.algorithm };
    },
  ),

  GenerateMac: operation(structure(macMembers, cryptographicOptions), (call, input) => {
    const { key, mac } = openToMac(call, input);
    recordUse(call, key, "GenerateMac");
    return { Mac: mac, MacAlgorithm: input.MacAlgorithm, KeyId: key.arn };
  }),

  VerifyMac: operation(
    structure({ ...macMembers, Mac: ciphertextShape }, cryptographicOptions),
    (call, input) => {
      const { key, mac } = openToMac(call, input);
      if (!Buffer.from(mac).equals(input.Mac)) throw new AwsError("KMSInvalidMacException", "");
      recordUse(call, key, "VerifyMac");
      return { KeyId: key.arn, MacValid: true, MacAlgorithm: input.MacAlgorithm };
    },
  ),
};

function openToSign(call: Call, input: SigningInput): { key: KmsKey; signing: Signing } {
  const signing = {
    algorithm: input.SigningAlgorithm,
    messageType: input.MessageType ?? "RAW",
    message: input.Message,
  };
  const values = {
    "kms:SigningAlgorithm": signing.algorithm,
    "kms:MessageType": signing.messageType,
  };
  const key = useKey(call, input, "SIGN_VERIFY", { values });
  checkAlgorithm(key, signing.algorithm);
  checkMessage(signing);
  return { key, signing };
}

/** "MessageType" on the Sign page: the types of each algorithm, and their lengths. */
function checkMessage({ algorithm, messageType, message }: Signing): void {
  const wanted = messageTypesOf(algorithm);
  if (!wanted.includes(messageType)) {
    throw invalid(`MessageType ${messageType} is not valid for algorithm ${algorithm}.`);
  }
  if (messageType === "EXTERNAL_MU") {
    // node:crypto cannot skip the hashing of ML-DSA.
    const why = "The embedded AWS does not support MessageType EXTERNAL_MU";
    throw new AwsError("UnsupportedOperationException", why);
  }
  if (messageType === "DIGEST" && message.length !== hashBytesOf(algorithm)) {
    throw invalid(`Digest is invalid length for algorithm ${algorithm}.`);
  }
}

function messageTypesOf(algorithm: string): string[] {
  if (algorithm === "ML_DSA_SHAKE_256") return ["RAW", "EXTERNAL_MU"];
  if (algorithm === "ED25519_SHA_512") return ["RAW"];
  if (algorithm === "ED25519_PH_SHA_512") return ["DIGEST"];
  return ["RAW", "DIGEST"];
}

function openToMac(call: Call, input: MacInput): { key: KmsKey; mac: Uint8Array } {
  const values = { "kms:MacAlgorithm": input.MacAlgorithm };
  const key = useKey(call, input, "GENERATE_VERIFY_MAC", { values });
  checkAlgorithm(key, input.MacAlgorithm);
  endDryRun(input);
  const { made } = currentMaterial(call, key);
  return { key, mac: call.world.cryptography.mac(made, input.MacAlgorithm, input.Message) };
}

function invalid(message: string): AwsError {
  return new AwsError("ValidationException", message);
}
