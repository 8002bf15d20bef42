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
  if (key.multiRegion) return "keyturn does not rotate the replicas of a multi-Region key";
  if (!supportedUsages.includes(key.usage)) return `usage ${key.usage} is not supported`;
  switch (key.origin) {
    case "AWS_KMS":
    case "AWS_CLOUDHSM":
      return undefined;
    case "EXTERNAL":
      return "keyturn cannot import key material";
    case "EXTERNAL_KEY_STORE":
      return "keyturn cannot create a key in an external key store";
    default:
      return `origin ${key.origin} is not supported`;
  }
}
