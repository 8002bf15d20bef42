/** The meaning, usual cause and remedy of each finding about refused uses. */
import type { Explained, FindingCode } from "./findings.ts";

const accept =
  "If the caller does not need the data, accept the id of the refused use when you approve the deletion, or add the caller to `acceptedRefusals` in the configuration.";

export const refusalTexts = {
  REFUSED_USE: {
    meaning:
      "KMS denied a caller access to a retired version. keyturn does not delete the version until an operator accepts the refusal.",
    cause:
      "An IAM policy allows the caller by the alias (kms:ResourceAliases), which has moved to another version. Or a scanner calls every key.",
    remedy: `Change the IAM policy of the caller to allow every version: with a condition on a tag that keyturn copies (aws:ResourceTag), or with all keys of the account as the resource. ${accept}`,
  },
  ORIGINATION_REFUSED: {
    meaning:
      "KMS denied a caller that still encrypts, signs or generates MACs with a retired version. The refusal blocks nothing.",
    cause:
      "The caller names the old key, and the key policy of `originate: alias-only`, or an SCP on the tag `keyturn:retired`, denies that. Or an IAM policy allows the caller by the alias alone.",
    remedy: "Change the caller to use the alias.",
  },
  REFUSED_SINCE_ACTIVATION: {
    meaning:
      "KMS denies a caller the active version. It did not deny the caller the previous version: the rotation locked the caller out.",
    cause:
      "An IAM policy of the caller names the key ARN of an older version. Each version has its own ARN.",
    remedy: `Run the printed rollback: it makes the previous version active again. keyturn prints no rollback to a compromised version. Then change the IAM policy of the caller to allow every version: with a condition on a tag that keyturn copies (aws:ResourceTag), or with all keys of the account as the resource. A condition on the alias (kms:ResourceAliases) allows only the active version. ${accept}`,
  },
  READ_BY_ALIAS: {
    meaning:
      "A caller names the alias to decrypt or verify data of an older version. KMS uses the active version, and the call fails. keyturn deletes no retired version until an operator accepts the refusal.",
    cause:
      "The caller passes the alias as KeyId to Decrypt, ReEncrypt, VerifyMac or Verify. Some tools do, such as sops with an alias ARN.",
    remedy: `Omit KeyId from Decrypt: KMS finds the key of symmetric ciphertext. Store the key ARN, which GenerateMac and Sign return, with each MAC and signature, and verify with that ARN. ${accept}`,
  },
  REFUSALS_NOT_WATCHED: {
    meaning:
      "keyturn does not schedule the deletion yet: it must first collect refused uses without a gap for as long as drain.quietFor. Or the deletion is scheduled already, and keyturn no longer receives the refused uses that would cancel it.",
    cause:
      "For more than 36 hours no canary event arrived through the queue of refused uses: no trail logs the read-only events of KMS, the rule is disabled, or the second function fails. Or keyturn began to collect recently: after an upgrade, or after a reconcile.",
    remedy:
      "Verify that a trail of the Region logs management events, including read-only ones, and does not exclude AWS KMS. Verify that the rule `RefusedUses` is enabled, and that its queue is empty. keyturn schedules a deletion once it has collected refused uses for the policy's drain.quietFor. `aws kms cancel-key-deletion` stops a scheduled deletion.",
  },
} satisfies Partial<Record<FindingCode, Explained>>;
