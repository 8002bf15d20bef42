/** The meaning, usual cause and remedy of findings about changes by external actors. */
import type { Explained, FindingCode } from "./findings.ts";

export const changeTexts = {
  DELETION_SCHEDULED_BY_OTHERS: {
    meaning:
      "An external actor scheduled the deletion of a version, or brought its date forward. KMS deletes the key at that date: data that only this key can decrypt is then lost.",
    cause:
      "A clean-up script or an operator assumed that the key is unused. Or infrastructure code no longer contains the key.",
    remedy:
      "Run the printed command before the date: it cancels the deletion, and returns the key to the state that keyturn expects. keyturn itself cancels such a deletion only after a use attempt on a version that keyturn disabled. CloudTrail names the principal (aws cloudtrail lookup-events). Exclude keys with the tag keyturn:owner from clean-up scripts.",
  },
  DISABLED_BY_OTHERS: {
    meaning:
      "An external actor disabled a version that callers may use. If it is the active version, callers fail now.",
    cause:
      "A clean-up script or an operator, or infrastructure code that disables the key (Terraform: is_enabled = false).",
    remedy:
      "Run the printed command, which enables the key. Then correct the script or the code: otherwise it disables the key again.",
  },
  ACCESS_TAG_GONE: {
    meaning:
      "An external actor removed or changed the tag keyturn:alias or keyturn:version of a version. KMS now denies this version to callers whose policies allow them by that tag. `reconcile` cannot identify the version without these tags.",
    cause:
      "Infrastructure code removes tags that it does not contain, at each apply. Or an operator or a tagging tool removed or changed the tag.",
    remedy:
      "Run the printed command, which sets both tags again. KMS takes up to five minutes to allow the callers again. In Terraform, set ignore_changes = [tags, tags_all] on the key.",
  },
  KEY_POLICY_CHANGED: {
    meaning:
      "An external actor changed the key policy of a version. Each version has its own key policy: the change does not apply to the other versions.",
    cause:
      "An operator or infrastructure code replaced the key policy. Code that created the first version changes only that version, even after keyturn has retired it.",
    remedy:
      "Read the key policy. If the change is a mistake, replace the key policy with the earlier one: the finding then closes. If the change is intended, make it in the key policy of the active version too: keyturn copies that policy to the next version, whether or not you accept it. Then run the printed command, by which you accept the change.",
  },
} satisfies Partial<Record<FindingCode, Explained>>;
