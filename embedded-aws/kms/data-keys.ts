/** Data keys and random bytes, by the pages of the GenerateDataKey family and GenerateRandom. */
import { AwsError } from "../http/aws-error.ts";
import { integer, oneOf, structure, text } from "../http/shape.ts";
import {
  cryptographicOptions,
  encryptionContextShape,
  keyIdShape,
  recipientShape,
} from "./common-shapes.ts";
import { encryptUnder } from "./encrypt.ts";
import { checkAlgorithm, type KeySpec } from "./key-specs.ts";
import { operation } from "./operation.ts";
import { unsupportedOrigin } from "./states.ts";
import type { Call, KmsKey } from "./types.ts";
import { recordUse } from "./last-use.ts";
import { currentMaterial, endDryRun, useKey } from "./use-key.ts";

const dataKeyBytes = { AES_256: 32, AES_128: 16 };

type DataKeyInput = {
  KeyId: string;
  EncryptionContext?: Record<string, string>;
  NumberOfBytes?: number;
  KeySpec?: keyof typeof dataKeyBytes;
  GrantTokens?: string[];
  DryRun?: boolean;
};

type PairInput = Omit<DataKeyInput, "NumberOfBytes" | "KeySpec"> & { KeyPairSpec: KeySpec };

const dataKeyInput = structure(
  { KeyId: keyIdShape },
  {
    EncryptionContext: encryptionContextShape,
    NumberOfBytes: integer({ min: 1, max: 1024 }),
    KeySpec: oneOf("AES_256", "AES_128"),
    Recipient: recipientShape,
    ...cryptographicOptions,
  },
);

const pairInput = structure(
  {
    KeyId: keyIdShape,
    KeyPairSpec: oneOf<KeySpec>(
      "RSA_2048",
      "RSA_3072",
      "RSA_4096",
      "ECC_NIST_P256",
      "ECC_NIST_P384",
      "ECC_NIST_P521",
      "ECC_SECG_P256K1",
      "SM2",
      "ECC_NIST_EDWARDS25519",
    ),
  },
  {
    EncryptionContext: encryptionContextShape,
    Recipient: recipientShape,
    ...cryptographicOptions,
  },
);

const randomInput = structure(
  {},
  {
    NumberOfBytes: integer({ min: 1, max: 1024 }),
    CustomKeyStoreId: text({ min: 1, max: 64 }),
    Recipient: recipientShape,
  },
);

export const dataKeyOperations = {
  GenerateDataKey: operation(dataKeyInput, generateDataKey),

  GenerateDataKeyWithoutPlaintext: operation(dataKeyInput, (call, input) => {
    const { Plaintext: _, ...answer } = generateDataKey(call, input);
    return answer;
  }),

  GenerateDataKeyPair: operation(pairInput, generateDataKeyPair),

  GenerateDataKeyPairWithoutPlaintext: operation(pairInput, (call, input) => {
    const { PrivateKeyPlaintext: _, ...answer } = generateDataKeyPair(call, input);
    return answer;
  }),

  GenerateRandom: operation(randomInput, (call, input) => {
    const { NumberOfBytes: count, CustomKeyStoreId: storeId } = input;
    if (storeId !== undefined) checkHsm(call, storeId);
    if (count === undefined) {
      throw new AwsError("ValidationException", "NumberOfBytes is required.");
    }
    return { Plaintext: call.world.cryptography.bytes(count, call.world.random) };
  }),
};

/** "Generates the random byte string in the CloudHSM key store", if the request names one. */
function checkHsm(call: Call, storeId: string): void {
  const store = call.world.customKeyStores.get(storeId);
  const refuse = (code: string, why: string) =>
    new AwsError(code, `Custom key store ${storeId} ${why}`);
  if (store === undefined) throw refuse("CustomKeyStoreNotFoundException", "does not exist");
  if (store.type !== "AWS_CLOUDHSM") {
    throw refuse("UnsupportedOperationException", "generates no random bytes");
  }
  if (!store.connected) throw refuse("CustomKeyStoreInvalidStateException", "is not connected");
}

function generateDataKey(call: Call, input: DataKeyInput) {
  const { KeySpec: spec, NumberOfBytes: count } = input;
  if ((spec === undefined) === (count === undefined)) {
    const message = "Please specify either number of bytes or key spec.";
    throw new AwsError("ValidationException", message);
  }
  const key = openWrappingKey(call, input, {});
  endDryRun(input);
  const bytes = spec === undefined ? (count ?? 0) : dataKeyBytes[spec];
  const plaintext = call.world.cryptography.bytes(bytes, call.world.random);
  return {
    CiphertextBlob: wrap(call, key, input, plaintext),
    Plaintext: plaintext,
    KeyId: key.arn,
    KeyMaterialId: currentMaterial(call, key).id,
  };
}

function generateDataKeyPair(call: Call, input: PairInput) {
  const { cryptography, random } = call.world;
  const key = openWrappingKey(call, input, { "kms:DataKeyPairSpec": input.KeyPairSpec });
  if (key.customKeyStoreId !== undefined) throw unsupportedOrigin(key);
  if (input.KeyPairSpec === "SM2") {
    throw new AwsError("UnsupportedOperationException", "KeyPairSpec SM2 is not supported");
  }
  endDryRun(input);
  const pair = cryptography.generate(input.KeyPairSpec, random.hex(64));
  const privateKey = cryptography.privateKey(pair);
  return {
    PrivateKeyCiphertextBlob: wrap(call, key, input, privateKey),
    PrivateKeyPlaintext: privateKey,
    PublicKey: cryptography.publicKey(pair),
    KeyId: key.arn,
    KeyPairSpec: input.KeyPairSpec,
    KeyMaterialId: currentMaterial(call, key).id,
  };
}

/** Only symmetric encryption keys wrap data keys. */
function openWrappingKey(
  call: Call,
  input: Omit<DataKeyInput, "KeySpec">,
  values: Record<string, string>,
): KmsKey {
  const encryptionContext = input.EncryptionContext;
  const key = useKey(call, input, "ENCRYPT_DECRYPT", { encryptionContext, values });
  checkAlgorithm(key, "SYMMETRIC_DEFAULT");
  return key;
}

function wrap(
  call: Call,
  key: KmsKey,
  input: { EncryptionContext?: Record<string, string> },
  bytes: Uint8Array,
): Uint8Array {
  const context = input.EncryptionContext;
  const ciphertext = encryptUnder(call, key, "SYMMETRIC_DEFAULT", bytes, context);
  recordUse(call, key, call.operation);
  return ciphertext;
}
