/** The tags that keyturn sets on KMS keys. */
export const tagNames = {
  owner: "keyturn:owner",
  alias: "keyturn:alias",
  rotation: "keyturn:rotation",
  attempt: "keyturn:attempt",
  version: "keyturn:version",
  policy: "keyturn:policy",
  /** For IAM policies and SCPs: they allow to disable or delete only keys with this tag. */
  retired: "keyturn:retired",
} as const;
