/** What an operator must know: a code, the observed state, and the next command to type. */

/** What a finding means, its usual cause and its remedy. */
export type Explained = { meaning: string; cause: string; remedy: string };

export type FindingCode = keyof typeof effects;

export type Finding = {
  code: FindingCode;
  /** The alias or key id that the finding is about. One finding per code and subject. */
  subject: string;
  /** The observed state, in words and values. */
  observed: string;
  /** The next command to type. */
  next: string;
  sinceMs: number;
};

/**
 * `halt`: the managed key halts until the cause is corrected. `block`: one action waits. `notice`:
 * keyturn continues; the reported condition may block one action. `refuse`: keyturn does not begin.
 */
export type Effect = "halt" | "block" | "notice" | "refuse";

export const effects = {
  ALIAS_NOT_FOUND: "halt",
  ALIAS_SET_SPLIT: "halt",
  ALIAS_MOVED: "halt",
  ALIAS_ON_OLD_VERSION: "halt",
  KEY_NOT_ENABLED: "halt",
  KEY_KIND_UNSUPPORTED: "halt",
  OTHER_OWNER: "halt",
  KEY_ALREADY_MANAGED: "halt",
  STATE_BEHIND_KMS: "halt",
  USED_WHILE_DISABLED: "halt",
  DEPENDENT_NOT_READY: "halt",
  ALIAS_ONLY_UNFIT: "halt",
  NOT_CONFIGURED: "halt",
  POLICY_NOT_CARRIED: "halt",
  TOO_MANY_TAGS: "halt",
  GRANT_NOT_UNDERSTOOD: "halt",
  KEY_POLICY_REFUSED: "halt",
  ACCESS_DENIED: "halt",
  KEY_QUOTA_REACHED: "halt",
  CALL_REFUSED: "halt",
  NEW_VERSION_NOT_ENABLED: "halt",
  VERSION_CHANGED: "halt",
  DELETION_SCHEDULED_BY_OTHERS: "halt",
  DISABLED_BY_OTHERS: "halt",
  VERSION_DELETED: "halt",
  KEY_IN_STACK: "notice",
  DRAIN_NOT_WATCHED: "block",
  APPROVAL_REQUIRED: "block",
  GRANT_HOLDS_OLD_VERSION: "block",
  REFUSALS_NOT_WATCHED: "block",
  REFUSED_USE: "notice",
  ORIGINATION_REFUSED: "notice",
  REFUSED_SINCE_ACTIVATION: "notice",
  READ_BY_ALIAS: "notice",
  ACKNOWLEDGEMENT_AWAITED: "block",
  DEPENDENT_REQUIRED: "block",
  USAGE_UNKNOWN: "block",
  ORIGINATED_AFTER_ACTIVATION: "block",
  GUARDRAIL: "block",
  DRAIN_PROLONGED: "block",
  PAUSED: "notice",
  HELD_AFTER_ROLLBACK: "notice",
  REQUEST_REJECTED: "notice",
  UNENROLLED: "notice",
  NOT_ENROLLED_BY_TAG: "notice",
  ALIAS_ONLY_NOT_ENFORCED: "notice",
  EVIDENCE_OVERRIDDEN: "notice",
  NEVER_DELETED: "notice",
  ROTATION_NOT_CARRIED: "notice",
  CALLERS_UNSEEN: "notice",
  GRANT_LEFT_OUT: "notice",
  ACCESS_TAG_GONE: "notice",
  KEY_POLICY_CHANGED: "notice",
  OVERDUE: "notice",
  UNLISTED_ALIAS: "notice",
  USAGE_UNKNOWN_ACCEPTED: "notice",
  STUCK: "notice",
  CLOCK_SKEW: "notice",
  RECORD_LARGE: "notice",
  EXTRA_NOT_QUARANTINED: "block",
  UNKNOWN_KEY: "notice",
  SCHEMA_NEWER: "refuse",
  CONFIGURATION_INVALID: "refuse",
} as const satisfies Record<string, Effect>;

/** Notices of an outage: callers are locked out, and an operator is needed at once. */
export const outages: readonly FindingCode[] = ["REFUSED_SINCE_ACTIVATION"];

export function isOutage({ code }: Pick<Finding, "code">): boolean {
  return outages.includes(code);
}

/** Changes by external actors that can end in an outage or a loss of data: an operator is needed at once. */
const dangers: readonly FindingCode[] = [
  "DELETION_SCHEDULED_BY_OTHERS",
  "DISABLED_BY_OTHERS",
  "VERSION_DELETED",
  "ACCESS_TAG_GONE",
];

export function isDanger({ code }: Pick<Finding, "code">): boolean {
  return dangers.includes(code);
}

/** Whether an operator is needed at once. */
export function isUrgent(what: Pick<Finding, "code">): boolean {
  return isOutage(what) || isDanger(what);
}

/** What an inspection reports: while one of these is open, each pass inspects again. */
export const foundByInspection: readonly FindingCode[] = [
  ...dangers,
  "ACCESS_DENIED",
  "STATE_BEHIND_KMS",
  "UNLISTED_ALIAS",
  "VERSION_CHANGED",
  "KEY_NOT_ENABLED",
  "OTHER_OWNER",
  "ALIAS_MOVED",
  "ALIAS_NOT_FOUND",
  "ALIAS_ON_OLD_VERSION",
];

export function finding(
  code: FindingCode,
  subject: string,
  observed: string,
  next: string,
  sinceMs: number,
): Finding {
  return { code, subject, observed, next, sinceMs };
}

export function sameFinding(a: Finding, b: Finding): boolean {
  return a.code === b.code && a.subject === b.subject;
}
