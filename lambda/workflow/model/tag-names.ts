/** The tags that keyturn sets on KMS keys. */
export const tagNames = {
  owner: "keyturn:owner",
  alias: "keyturn:alias",
  rotation: "keyturn:rotation",
  attempt: "keyturn:attempt",
  version: "keyturn:version",
  policy: "keyturn:policy",
  /** For IAM policies and SCPs: only what carries it may be disabled or scheduled for deletion. */
  retired: "keyturn:retired",
} as const;
