/** The same for findings about refused uses. */
import type { Explained, FindingCode } from "./findings.ts";

const accept =
  "Where the caller needs nothing, accept its id with the approval of the deletion, or add it to `acceptedRefusals` in the configuration.";

export const refusalTexts = {
  REFUSED_USE: {
    meaning:
      "KMS denied a caller access to a retired version. keyturn does not delete the version while the refusal stands.",
    cause:
      "The caller is allowed by the alias (kms:ResourceAliases), which has moved; or a scanner calls every key.",
    remedy: `Allow the caller by a tag that keyturn copies to each version (aws:ResourceTag), or by all keys of the account. ${accept}`,
  },
  ORIGINATION_REFUSED: {
    meaning: "KMS denied a caller that still encrypts, signs or MACs with a retired version.",
    cause:
      "The caller names the old key, and the policy `originate: alias-only` or an SCP on the label denies that; or it is allowed by the alias alone.",
    remedy: "Have the caller use the alias.",
  },
  REFUSED_SINCE_ACTIVATION: {
    meaning:
      "Since a version is active, KMS denies it to a caller that the previous version did not deny: the rotation locked the caller out.",
    cause:
      "A policy of the caller names the key ARN of an older version; the new version has another one.",
    remedy: `Allow the caller the new version: by a tag that keyturn copies (aws:ResourceTag), by the alias (kms:ResourceAliases) for new data, or by all keys of the account. Until then, the printed rollback makes the previous version active again. ${accept}`,
  },
  READ_BY_ALIAS: {
    meaning:
      "A caller names the alias to decrypt or verify data of an older version: KMS uses the active version, and refuses.",
    cause:
      "The caller passes the alias as KeyId to Decrypt, ReEncrypt, VerifyMac or Verify; some tools do (sops with an alias ARN).",
    remedy: `Leave KeyId out of Decrypt: KMS finds the key of symmetric ciphertext. Store the key ARN, which GenerateMac and Sign return, with each MAC and signature. ${accept}`,
  },
  REFUSALS_NOT_WATCHED: {
    meaning:
      "keyturn did not collect refused uses for long enough, without a gap, to delete the version.",
    cause:
      "No canary event came through the queue of refused uses for more than 36 hours: no trail logs KMS's read-only events, the rule is disabled, or the second function fails.",
    remedy:
      "Verify that a trail of the Region logs management events, including read-only ones, and does not exclude AWS KMS. Verify that the rule `RefusedUses` is enabled, and that its queue is empty. The deletion then waits for the policy's drain.quietFor.",
  },
} satisfies Partial<Record<FindingCode, Explained>>;
