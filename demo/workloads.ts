/** The application's operations under an alias: make an item, check it, renew it. */
import crypto from "node:crypto";
import {
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateMacCommand,
  GetPublicKeyCommand,
  ReEncryptCommand,
  SignCommand,
  VerifyCommand,
  VerifyMacCommand,
  type EncryptCommandInput,
  type GenerateMacCommandInput,
  type KMSClient,
  type SignCommandInput,
} from "@aws-sdk/client-kms";
import type { Member, Use } from "./fleet.ts";

/** An item of the application: a ciphertext, a sealed document, a signature or a MAC. */
export type Item = {
  number: number;
  message: Buffer;
  /** The KMS key that made it, from KMS's answer. */
  keyId: string;
  madeAtMs: number;
  /** The ciphertext, encrypted data key, signature or MAC. */
  blob: Uint8Array;
  /** data-key: the document, sealed with the data key. */
  sealed?: Sealed;
};

export type Made = Pick<Item, "keyId" | "blob" | "sealed">;

export interface Workload {
  make(message: Buffer): Promise<Made>;
  /** Throws if the item cannot be read or verified. */
  check(item: Item): Promise<void>;
  /** Makes the same item with the active version; the old version is no longer needed for it. */
  renew(item: Item): Promise<Made>;
}

class NotReadable extends Error {
  override readonly name = "NotReadable";
}

export function createWorkload(kms: KMSClient, member: Member): Workload {
  return workloads[member.use](kms, member);
}

const workloads: Record<Use, (kms: KMSClient, member: Member) => Workload> = {
  encrypt: encrypting,
  "data-key": sealing,
  sign: signing,
  mac: authenticating,
};

function encrypting(kms: KMSClient, { alias, algorithm }: Member): Workload {
  const EncryptionAlgorithm = algorithm as NonNullable<EncryptCommandInput["EncryptionAlgorithm"]>;
  return {
    async make(message) {
      const input = { KeyId: alias, Plaintext: message, EncryptionAlgorithm };
      const { KeyId, CiphertextBlob } = await kms.send(new EncryptCommand(input));
      return made(KeyId, CiphertextBlob);
    },
    async check({ keyId, blob, message }) {
      const input = { KeyId: keyId, CiphertextBlob: blob, EncryptionAlgorithm };
      const { Plaintext } = await kms.send(new DecryptCommand(input));
      if (!message.equals(Plaintext ?? Buffer.alloc(0))) throw new NotReadable("another plaintext");
    },
    renew: ({ keyId, blob }) => reEncrypt(kms, alias, keyId, blob, EncryptionAlgorithm),
  };
}

async function reEncrypt(
  kms: KMSClient,
  alias: string,
  keyId: string,
  blob: Uint8Array,
  algorithm: NonNullable<EncryptCommandInput["EncryptionAlgorithm"]>,
): Promise<Made> {
  const { KeyId, CiphertextBlob } = await kms.send(
    new ReEncryptCommand({
      CiphertextBlob: blob,
      SourceKeyId: keyId,
      SourceEncryptionAlgorithm: algorithm,
      DestinationKeyId: alias,
      DestinationEncryptionAlgorithm: algorithm,
    }),
  );
  return made(KeyId, CiphertextBlob);
}

function sealing(kms: KMSClient, { alias }: Member): Workload {
  return {
    async make(message) {
      const { KeyId, CiphertextBlob, Plaintext } = await kms.send(
        new GenerateDataKeyCommand({ KeyId: alias, KeySpec: "AES_256" }),
      );
      const sealed = seal(Plaintext ?? Buffer.alloc(0), message);
      return { ...made(KeyId, CiphertextBlob), sealed };
    },
    async check({ keyId, blob, sealed, message }) {
      const { Plaintext } = await kms.send(
        new DecryptCommand({ KeyId: keyId, CiphertextBlob: blob }),
      );
      if (sealed === undefined || Plaintext === undefined) throw new NotReadable("no data key");
      if (!open(Plaintext, sealed).equals(message)) throw new NotReadable("another document");
    },
    async renew({ keyId, blob, sealed }) {
      const renewed = await reEncrypt(kms, alias, keyId, blob, "SYMMETRIC_DEFAULT");
      return { ...renewed, ...(sealed && { sealed }) };
    },
  };
}

function signing(kms: KMSClient, { alias, algorithm }: Member): Workload {
  const SigningAlgorithm = algorithm as NonNullable<SignCommandInput["SigningAlgorithm"]>;
  // Kept for ever: a signature outlives the version that made it.
  const publicKeys = new Map<string, crypto.KeyObject>();
  const keepPublicKey = async (keyId: string): Promise<void> => {
    if (publicKeys.has(keyId)) return;
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: keyId }));
    const key = Buffer.from(PublicKey ?? []);
    publicKeys.set(keyId, crypto.createPublicKey({ key, format: "der", type: "spki" }));
  };
  const make = async (message: Buffer): Promise<Made> => {
    const { KeyId, Signature } = await kms.send(
      new SignCommand({ KeyId: alias, Message: message, MessageType: "RAW", SigningAlgorithm }),
    );
    const signed = made(KeyId, Signature);
    await keepPublicKey(signed.keyId);
    return signed;
  };
  return {
    make,
    async check({ keyId, blob, message }) {
      const key = publicKeys.get(keyId);
      if (key === undefined) throw new NotReadable("its public key was not kept");
      if (!verifyHere(algorithm, key, message, blob)) throw new NotReadable("signature invalid");
    },
    async renew({ keyId, blob, message }) {
      const input = { KeyId: keyId, Message: message, Signature: blob, SigningAlgorithm };
      await kms.send(new VerifyCommand({ ...input, MessageType: "RAW" }));
      return make(message);
    },
  };
}

/** Verifies without KMS, with the public key alone. */
function verifyHere(
  algorithm: string,
  key: crypto.KeyObject,
  message: Buffer,
  signature: Uint8Array,
): boolean {
  // ML-DSA hashes within the algorithm.
  if (algorithm.startsWith("ML_DSA")) return crypto.verify(null, message, key, signature);
  if (!algorithm.startsWith("RSASSA_PSS")) return crypto.verify("sha256", message, key, signature);
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = crypto.constants;
  return crypto.verify("sha256", message, { key, padding, saltLength }, signature);
}

function authenticating(kms: KMSClient, { alias, algorithm }: Member): Workload {
  const MacAlgorithm = algorithm as NonNullable<GenerateMacCommandInput["MacAlgorithm"]>;
  const make = async (message: Buffer): Promise<Made> => {
    const input = { KeyId: alias, Message: message, MacAlgorithm };
    const { KeyId, Mac } = await kms.send(new GenerateMacCommand(input));
    return made(KeyId, Mac);
  };
  const check = async ({ keyId, blob, message }: Item): Promise<void> => {
    const input = { KeyId: keyId, Message: message, Mac: blob, MacAlgorithm };
    const { MacValid } = await kms.send(new VerifyMacCommand(input));
    if (MacValid !== true) throw new NotReadable("MAC invalid");
  };
  return {
    make,
    check,
    async renew(item) {
      await check(item);
      return make(item.message);
    },
  };
}

function made(keyArn: string | undefined, blob: Uint8Array | undefined): Made {
  const keyId = keyArn?.split("/").at(-1);
  if (keyId === undefined || blob === undefined) throw new Error("KMS returned an empty answer");
  return { keyId, blob };
}

type Sealed = { iv: Buffer; tag: Buffer; body: Buffer };

function seal(dataKey: Uint8Array, message: Buffer): Sealed {
  const iv = crypto.randomBytes(12);
  const cipher = crypto.createCipheriv("aes-256-gcm", dataKey, iv);
  const body = Buffer.concat([cipher.update(message), cipher.final()]);
  return { iv, tag: cipher.getAuthTag(), body };
}

function open(dataKey: Uint8Array, { iv, tag, body }: Sealed): Buffer {
  const decipher = crypto.createDecipheriv("aes-256-gcm", dataKey, iv);
  decipher.setAuthTag(tag);
  return Buffer.concat([decipher.update(body), decipher.final()]);
}
