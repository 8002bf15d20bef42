/** The same for what a look at the versions finds. */
import type { Explained, FindingCode } from "./findings.ts";

export const changeTexts = {
  DELETION_SCHEDULED_BY_OTHERS: {
    meaning:
      "An external actor scheduled the deletion of a version, or brought its date forward. Data that only this version can decrypt is lost at that date.",
    cause: "A clean-up script, an operator, or infrastructure code that no longer has the key.",
    remedy:
      "Run the printed command before the date: it cancels the deletion and returns the key to the state that keyturn expects. CloudTrail has the principal (aws cloudtrail lookup-events). Exclude keys with the tag keyturn:owner from clean-up scripts.",
  },
  DISABLED_BY_OTHERS: {
    meaning:
      "An external actor disabled a version that callers may use. If it is the active version, callers fail now.",
    cause: "A clean-up script, an operator, or infrastructure code that names the key.",
    remedy:
      "Run the printed command, which enables the key. Terraform enables or disables the key of its state at each apply: set ignore_changes = [is_enabled].",
  },
  ACCESS_TAG_GONE: {
    meaning:
      "A version has lost the tag keyturn:alias or keyturn:version. KMS denies callers whose policies allow by this tag, and keyturn cannot rebuild its record from it.",
    cause:
      "Infrastructure code removes tags that it does not know, at each apply; or an operator or a tagging tool removed it.",
    remedy:
      "Run the printed command, which sets the tags again. In Terraform, set ignore_changes = [tags, tags_all] on the key.",
  },
  KEY_POLICY_CHANGED: {
    meaning:
      "An external actor changed the key policy of a version. A version has a key policy of its own: the other versions do not have this change.",
    cause:
      "An operator or infrastructure code put another key policy. Code that created the first version changes only that version, also after it is retired.",
    remedy:
      "Read the key policy. If the change is intended, put it on the active version, too: keyturn copies the policy of the active version to the next one. Then run the printed command, which records that you accept it.",
  },
} satisfies Partial<Record<FindingCode, Explained>>;
