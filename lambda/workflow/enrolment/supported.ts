/** Which kinds of keys keyturn can rotate: by creating a new key and moving the alias. */
import type { Key } from "../model/types.ts";

const supportedUsages = [
  "ENCRYPT_DECRYPT",
  "SIGN_VERIFY",
  "GENERATE_VERIFY_MAC",
  "KEY_AGREEMENT",
  "ENCAPSULATE_DECAPSULATE",
];

/** Why keyturn does not rotate a key of this kind; undefined where it does. */
export function whyUnsupported(key: Key): string | undefined {
  if (key.managedBy === "AWS") return "only AWS rotates an AWS managed key";
  if (key.multiRegion) return "a multi-Region key has replicas, which would have to follow";
  if (!supportedUsages.includes(key.usage)) return `usage ${key.usage} is not supported`;
  switch (key.origin) {
    case "AWS_KMS":
    case "AWS_CLOUDHSM":
      return undefined;
    case "EXTERNAL":
      return "its material was imported, and only its owner can import the next";
    case "EXTERNAL_KEY_STORE":
      return "a key of an external key store needs its own external key, made beforehand";
    default:
      return `origin ${key.origin} is not supported`;
  }
}
