/** The application: makes data under each alias, and must be able to read all of it for ever. */
import type { KmsKey } from "../../embedded-aws/kms/types.ts";
import type { EmbeddedAws } from "../../embedded-aws/embedded-aws.ts";

export const personArn = "arn:aws:iam::000000000000:user/person";

/** Data made under an alias, and the call that must decrypt or verify it. */
export type Product = {
  /** The alias, and the number of the version that made the data. */
  version: string;
  keyId: string;
  read: { operation: string; input: object; expect: object };
};

/** The parts of a deployment that the application needs. */
export type Account = {
  aws: EmbeddedAws;
  nowMs: number;
  products: readonly Product[];
  ask<T>(operation: string, input: object): T;
};

type WellFormedRequest = Record<string, unknown> & { KeyId: string };

export function useKey(deployment: Account, alias: string): Product[] {
  const target = deployment.aws.kms.world.aliases.get(alias)?.keyId ?? "";
  const key = deployment.aws.kms.world.keys.get(target);
  if (key === undefined) throw new Error(`${alias} points at no key`);
  const message = Buffer.from(`${alias} on day ${deployment.nowMs}`);
  const ask = (operation: string, input: object): WellFormedRequest =>
    deployment.ask<WellFormedRequest>(operation, { KeyId: alias, ...input });
  const product = (operation: string, input: object, expect: object): Product => ({
    version: `${alias} v${key.tags.get("keyturn:version") ?? "1"}`,
    keyId: key.keyId,
    read: { operation, input: { KeyId: key.keyId, ...input }, expect },
  });
  return productsOf(key, message, ask, product);
}

function productsOf(
  key: KmsKey,
  message: Buffer,
  ask: (operation: string, input: object) => WellFormedRequest,
  product: (operation: string, input: object, expect: object) => Product,
): Product[] {
  switch (key.usage) {
    case "ENCRYPT_DECRYPT": {
      const context = { EncryptionContext: { tenant: "a" } };
      const sealed = ask("Encrypt", { Plaintext: message, ...context });
      const dataKey = ask("GenerateDataKey", { KeySpec: "AES_256" });
      const { CiphertextBlob, Plaintext } = dataKey;
      return [
        product(
          "Decrypt",
          { CiphertextBlob: sealed.CiphertextBlob, ...context },
          { Plaintext: message },
        ),
        product("Decrypt", { CiphertextBlob }, { Plaintext }),
      ];
    }
    case "SIGN_VERIFY": {
      const how = { Message: message, SigningAlgorithm: "ECDSA_SHA_256" };
      const { Signature } = ask("Sign", how);
      return [product("Verify", { ...how, Signature }, { SignatureValid: true })];
    }
    case "GENERATE_VERIFY_MAC": {
      const how = { Message: message, MacAlgorithm: "HMAC_SHA_256" };
      const { Mac } = ask("GenerateMac", how);
      return [product("VerifyMac", { ...how, Mac }, { MacValid: true })];
    }
    case "KEY_AGREEMENT":
    case "ENCAPSULATE_DECAPSULATE":
      throw new Error(`no application for ${key.usage}`);
  }
}

/** The data that is unreadable, except under deleted versions. Enables disabled keys first. */
export function unreadable(deployment: Account, deleted: string[]): string[] {
  const { world } = deployment.aws.kms;
  const lost: string[] = [];
  for (const { version, keyId, read } of deployment.products) {
    const key = world.keys.get(keyId);
    if (key === undefined && deleted.includes(version)) continue;
    if (key?.state === "PendingDeletion") deployment.ask("CancelKeyDeletion", { KeyId: keyId });
    if (key?.state === "Disabled") deployment.ask("EnableKey", { KeyId: keyId });
    try {
      const answer = deployment.ask<Record<string, unknown>>(read.operation, read.input);
      for (const [name, value] of Object.entries(read.expect)) {
        if (asText(answer[name]) !== asText(value)) lost.push(`${version}: another ${name}`);
      }
    } catch (error) {
      lost.push(`${version}: ${String(error)}`);
    }
  }
  return lost;
}

function asText(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : JSON.stringify(value);
}
