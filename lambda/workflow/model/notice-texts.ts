/** The same for other findings, most of them notices. */
import type { Explained, FindingCode } from "./findings.ts";

export const noticeTexts = {
  NEVER_DELETED: {
    meaning: "The policy deletes old versions; keyturn will disable this one and keep it.",
    cause:
      "Callers use its public key outside KMS; or it is a signing key, and keyturn could not archive its public key.",
    remedy:
      "For a signing key, allow the role kms:GetPublicKey. For other asymmetric keys: nothing.",
  },
  ROTATION_NOT_CARRIED: {
    meaning:
      "KMS rotates the material of the active version by itself; the next version will not have that.",
    cause:
      "Automatic rotation (EnableKeyRotation) is on for this key. keyturn rotates by new keys, and a new key has it off. The function's role may not enable it.",
    remedy:
      "Nothing, if rotation by keyturn is enough. If a control requires automatic rotation (AWS Security Hub KMS.4), enable it on each new version, once it is active: `aws kms enable-key-rotation`. The notice ends when the next version becomes active.",
  },
  CALLERS_UNSEEN: {
    meaning: "Callers of other accounts may use a version that keyturn retires.",
    cause:
      "Its key policy or a grant allows them. AWS logs their refused calls only in their own accounts: keyturn cannot detect their use attempts once the version is disabled.",
    remedy:
      "Before you approve, ask the owners of those accounts whether their callers still need this version. Their successful calls count as use.",
  },
  GRANT_LEFT_OUT: {
    meaning: "The new version has no copy of some grants of the old one.",
    cause: "KMS shows a principal of the grant by its unique id: the principal was deleted.",
    remedy: "Nothing if no caller needs them. Otherwise create grants for the right principals.",
  },
  OVERDUE: {
    meaning: "The active version is past its cryptoperiod.",
    cause:
      "A finding or a hold stops its rotation. Or the key was already older than the cryptoperiod when it was enrolled. Or a change of the policy made the cryptoperiod shorter than the age of the key. Or the function did not run.",
    remedy: "Read the other findings of this managed key for the cause.",
  },
  UNLISTED_ALIAS: {
    meaning: "The key has an alias that is not in the managed key's set; keyturn will not move it.",
    cause:
      "An external actor created another alias on the key, or pointed one at a retained version, and the configuration does not list it.",
    remedy:
      "List it under `aliases`. Otherwise the rotation that retires this version will halt on it (ALIAS_ON_OLD_VERSION). If the version is retained, run the printed command, which moves the alias to the active version.",
  },
  USAGE_UNKNOWN_ACCEPTED: {
    meaning: "The last use of the old version is unknown; the policy lets the drain end anyway.",
    cause: "The policy has drain.evidence: advisory.",
    remedy: "Set drain.evidence to required where revoking a key still in use would do harm.",
  },
  STUCK: {
    meaning: "Passes of this managed key failed many times in a row.",
    cause: "KMS or DynamoDB throttle or fail, or reads stay inconsistent, in pass after pass.",
    remedy: "Read the reason; if KMS or DynamoDB throttles, reduce the load on the shared quota.",
  },
  CLOCK_SKEW: {
    meaning: "A claim or settle mark expires more than 30 minutes from now: a clock is wrong.",
    cause: "A run on a machine with a wrong clock, or an edit of the table.",
    remedy:
      "Find the machine with the wrong clock. The finding stops nothing; the claim or settle mark does, until it expires.",
  },
  RECORD_LARGE: {
    meaning: "The item of this managed key is past 100 KB; DynamoDB's limit is 400 KB.",
    cause:
      "Many rotations are open at once. Or the record keeps events that keyturn could not publish, or journal lines that it could not store in items of their own.",
    remedy: "Find the rotations or versions that never complete.",
  },
  EXTRA_NOT_QUARANTINED: {
    meaning: "An excess key of a rotation has an alias, a grant or a use of its own.",
    cause: "An external actor mistook the key for an active one, and used it.",
    remedy: "Find out who uses it. keyturn leaves it as it is.",
  },
  UNKNOWN_KEY: {
    meaning: "A key carries this deployment's owner tag, and no record contains it.",
    cause: "A lost CreateKey response, tags that an external actor copied, or a new table.",
    remedy: "Find out who created and tagged it. keyturn does not change it.",
  },
  SCHEMA_NEWER: {
    meaning: "A newer version of keyturn wrote the item of this managed key.",
    cause: "A deployment returned to an older version of keyturn.",
    remedy: "Deploy the newer version again, or a later one.",
  },
  CONFIGURATION_INVALID: {
    meaning: "The configuration is malformed; keyturn changes no key.",
    cause: "An edit bypassed synthesis, which checks the configuration.",
    remedy: "Correct the reported problem, and deploy again.",
  },
} satisfies Partial<Record<FindingCode, Explained>>;
